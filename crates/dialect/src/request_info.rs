//! The facts of a request.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use crate::{
    AnswerForm, Dialect, Operation, Request, Sampling, density,
    effects::{Effects, Ties},
    json::{RawField, fields, is_filled, is_true, read, text},
    model_path::{ModelPath, deployment},
    ties::TiedBody,
    wanted::Wanted,
};

/// The facts of a request, parsed once, without copying its body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestInfo {
    pub(crate) dialect: Option<Dialect>,
    pub(crate) model: Option<Box<str>>,
    pub(crate) stream: bool,
    pub(crate) form: AnswerForm,
    pub(crate) stream_usage: bool,
    pub(crate) max_tokens: Option<u64>,
    /// The number of choices; zero if the request does not set it.
    pub(crate) choices: u32,
    pub(crate) tools: bool,
    pub(crate) images: bool,
    /// Whether an answer without any content may be right: the request has stop sequences, or a very small limit.
    pub(crate) stops: bool,
    pub(crate) effects: Effects,
    pub(crate) sampling: Sampling,
    /// Whether the body was parsed. A body in a content coding is not: then it is not known whether a stream is asked for.
    pub(crate) parsed: bool,
    /// Whether the body has more JSON values than are ever put into a tree.
    pub(crate) dense: bool,
}

fields! {
    struct StreamOptions<'a> {
        include_usage: RawField<'a>,
    }
}

/// The words before an image in a request. Each contains `image`.
const IMAGES: [&[u8]; 6] = [
    b"\"image_url\"",
    b"\"input_image\"",
    b"\"type\":\"image\"",
    b"\"type\": \"image\"",
    b"\"image/",
    b"\"images\":[\"",
];

// === impl RequestInfo ===

impl RequestInfo {
    /// Parses a request: its path determines the dialect, its body the rest. A body that cannot be parsed leaves the defaults. A
    /// [`Dialect`] in the request's extensions overrides the path.
    ///
    /// A request without a body is not a request to a model, whatever its path: it lists or fetches stored things.
    pub fn read(request: &Request) -> Self {
        let said = request.extensions().get::<Dialect>().copied();
        Self::read_as(request, said.or_else(|| Dialect::of_path(request.uri().path())))
    }

    /// Parses a request in that dialect, whatever its path.
    pub fn read_as(request: &Request, dialect: Option<Dialect>) -> Self {
        let path = request.uri().path();
        let dialect = dialect.filter(|_| !request.body().is_empty());
        let wanted: Option<Wanted<'_>> = serde_json::from_slice(request.body()).ok();
        let parsed = wanted.is_some();
        let wanted = wanted.unwrap_or_default();
        let options = read::<StreamOptions<'_>>(wanted.stream_options);
        let images = has_images(request.body());
        let place = ModelPath::read(path).filter(|_| dialect == Some(Dialect::Gemini));
        let model = in_path(path, place).or_else(|| text(wanted.model));
        let dense = density::is_dense(request.body());
        let body = TiedBody { dialect, bytes: request.body(), dense };
        let ties = Ties::read(body, &wanted, model.as_deref());
        let nested = wanted.nested();
        Self {
            dialect,
            model: model.map(String::into_boxed_str),
            stream: match (dialect, place) {
                (_, Some(place)) => place.is_stream(),
                // Ollama streams unless `stream` is `false`.
                (Some(Dialect::Ollama), _) => wanted.stream.is_none_or(|it| it.get() != "false"),
                _ => is_true(wanted.stream),
            },
            form: AnswerForm::of(request.uri(), dialect),
            stream_usage: options.is_some_and(|o| is_true(o.include_usage)),
            max_tokens: wanted.most(&nested),
            choices: wanted.choices(&nested),
            tools: is_filled(wanted.tools) || is_filled(wanted.functions),
            images,
            stops: wanted.stops(&nested),
            effects: Effects::of(request, dialect, ties),
            sampling: wanted.sampling(&nested),
            parsed,
            dense,
        }
    }

    /// Whether the body was parsed, so that it is known whether a stream is asked for. False for a body in a content coding.
    pub fn is_parsed(&self) -> bool {
        self.parsed
    }

    /// Whether the body has more than [`MAX_VALUES`](crate::MAX_VALUES) JSON values. Such a body is read, sent on and repeated, but
    /// neither edited nor compared with others: a tree of its values would take many times its bytes.
    pub fn is_dense(&self) -> bool {
        self.dense
    }

    /// The dialect of the request; `None` for a path that is passed through.
    pub fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    /// The requested model: in the body, or in the path of a request to Gemini or Azure.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Whether the request asks for a stream.
    pub fn stream(&self) -> bool {
        self.stream
    }

    /// The largest number of tokens of the answer, if the request sets it.
    pub fn max_tokens(&self) -> Option<u64> {
        self.max_tokens
    }

    /// The number of choices, or candidates, that the request asks for. At least one.
    pub fn choices(&self) -> u32 {
        self.choices.max(1)
    }

    /// Whether the request declares tools.
    pub fn tools(&self) -> bool {
        self.tools
    }

    /// Whether the request contains images.
    pub fn images(&self) -> bool {
        self.images
    }

    /// The form of the answer, for dialects with several.
    pub fn form(&self) -> AnswerForm {
        self.form
    }

    /// Whether the request asks for usage at the end of a stream of chat completions (`stream_options.include_usage`).
    pub fn stream_usage(&self) -> bool {
        self.stream_usage
    }

    /// Whether an answer without any content may be right: the request has stop sequences, or a limit of at most 16 tokens.
    pub fn may_be_empty(&self) -> bool {
        self.stops
    }

    /// The settings of the model's sampling, and of the form of its output.
    pub fn sampling(&self) -> &Sampling {
        &self.sampling
    }

    /// The operation of the request at its provider.
    pub fn operation(&self) -> Operation {
        self.effects.operation()
    }

    /// Whether the request can be repeated, and who else may answer it.
    pub fn effects(&self) -> Effects {
        self.effects
    }
}

/// The model in a path. It overrides the model in the body.
fn in_path(path: &str, place: Option<ModelPath<'_>>) -> Option<String> {
    place.map(|place| place.model()).or_else(|| deployment(path).map(String::from))
}

/// Whether a body contains an image.
fn has_images(body: &[u8]) -> bool {
    /// The common part of the words.
    static IMAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"image"));
    IMAGE.find(body).is_some() && IMAGES.iter().any(|word| memmem::find(body, word).is_some())
}
