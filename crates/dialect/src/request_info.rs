//! What a request asks for.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use crate::{
    AnswerForm, Dialect, Operation, Request,
    effects::{Effects, Ties},
    json::{RawField, fields, is_filled, is_true, read, text},
    model_path::ModelPath,
};

/// What a request asks for, read once, without copying its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestInfo {
    pub(crate) dialect: Option<Dialect>,
    pub(crate) model: Option<Box<str>>,
    pub(crate) stream: bool,
    pub(crate) form: AnswerForm,
    pub(crate) stream_usage: bool,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) tools: bool,
    pub(crate) images: bool,
    /// Whether an answer without any content may be right: the request names words to stop at, or a very small limit.
    pub(crate) stops: bool,
    pub(crate) effects: Effects,
}

fields! {
    #[allow(non_snake_case)]
    /// The fields of a request that tell what it asks for.
    pub(super) struct Wanted<'a> {
        model: RawField<'a>,
        stream: RawField<'a>,
        stream_options: RawField<'a>,
        max_tokens: RawField<'a>,
        max_completion_tokens: RawField<'a>,
        max_output_tokens: RawField<'a>,
        tools: RawField<'a>,
        functions: RawField<'a>,
        generationConfig: RawField<'a>,
        options: RawField<'a>,
        stop: RawField<'a>,
        stop_sequences: RawField<'a>,
        previous_response_id: RawField<'a>,
        conversation: RawField<'a>,
        container: RawField<'a>,
        background: RawField<'a>,
        cachedContent: RawField<'a>,
        cached_content: RawField<'a>,
    }
}

fields! {
    struct StreamOptions<'a> {
        include_usage: RawField<'a>,
    }
}

/// The words that stand before a picture in a request. Each has `image` in it.
const IMAGES: [&[u8]; 6] = [
    b"\"image_url\"",
    b"\"input_image\"",
    b"\"type\":\"image\"",
    b"\"type\": \"image\"",
    b"\"image/",
    b"\"images\":[\"",
];

fields! {
    #[allow(non_snake_case)]
    struct Generation<'a> {
        maxOutputTokens: RawField<'a>,
        stopSequences: RawField<'a>,
    }
}

fields! {
    struct Options<'a> {
        num_predict: RawField<'a>,
        stop: RawField<'a>,
    }
}

/// Within so few tokens an answer may have no content.
const TINY: u64 = 16;

// === impl RequestInfo ===

impl RequestInfo {
    /// Reads a request: its path tells the dialect, its body the rest. A body that cannot be read asks for nothing. A
    /// [`Dialect`] in the request's extensions holds before the path.
    ///
    /// A request without a body asks no model anything, whatever its path: it lists or fetches what is stored.
    pub fn read(request: &Request) -> Self {
        let said = request.extensions().get::<Dialect>().copied();
        Self::read_as(request, said.or_else(|| Dialect::of_path(request.uri().path())))
    }

    /// Reads a request in that dialect, whatever its path.
    pub fn read_as(request: &Request, dialect: Option<Dialect>) -> Self {
        let path = request.uri().path();
        let dialect = dialect.filter(|_| !request.body().is_empty());
        let wanted: Wanted<'_> = serde_json::from_slice(request.body()).unwrap_or_default();
        let options = read::<StreamOptions<'_>>(wanted.stream_options);
        let images = has_images(request.body());
        let place = ModelPath::read(path).filter(|_| dialect == Some(Dialect::Gemini));
        let model = in_path(path, place).or_else(|| text(wanted.model));
        let ties = Ties::read(dialect, request.body(), &wanted, model.as_deref());
        Self {
            dialect,
            model: model.map(String::into_boxed_str),
            stream: match (dialect, place) {
                (_, Some(place)) => place.is_stream(),
                // It streams unless it is told not to.
                (Some(Dialect::Ollama), _) => wanted.stream.is_none_or(|it| it.get() != "false"),
                _ => is_true(wanted.stream),
            },
            form: AnswerForm::of(request.uri(), dialect),
            stream_usage: options.is_some_and(|o| is_true(o.include_usage)),
            max_tokens: wanted.most(),
            tools: is_filled(wanted.tools) || is_filled(wanted.functions),
            images,
            stops: wanted.stops(),
            effects: Effects::of(request, dialect, ties),
        }
    }

    /// The dialect of the request; `None` for a path that is passed through.
    pub fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    /// The model that is asked: the one in the body, or in the path of a request to Gemini or Azure.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Whether the answer is to be streamed.
    pub fn stream(&self) -> bool {
        self.stream
    }

    /// The most tokens the answer may have, where the request says so.
    pub fn max_tokens(&self) -> Option<u64> {
        self.max_tokens
    }

    /// Whether the request brings tools.
    pub fn tools(&self) -> bool {
        self.tools
    }

    /// Whether the request brings images.
    pub fn images(&self) -> bool {
        self.images
    }

    /// Which of the forms of its dialect the answer is to have.
    pub fn form(&self) -> AnswerForm {
        self.form
    }

    /// Whether a stream of chat completions is to end with the usage (`stream_options.include_usage`).
    pub fn stream_usage(&self) -> bool {
        self.stream_usage
    }

    /// Whether an answer without any content may be right: the request names words to stop at, or at most 16 tokens.
    pub fn may_be_empty(&self) -> bool {
        self.stops
    }

    /// What the request does at its provider.
    pub fn operation(&self) -> Operation {
        self.effects.operation()
    }

    /// What follows from the request for its repetition, and for who else may answer it.
    pub fn effects(&self) -> Effects {
        self.effects
    }
}

// === impl Wanted ===

impl Wanted<'_> {
    /// The most tokens an answer may have, under the names that it has in the dialects: the newer before the older.
    fn most(&self) -> Option<u64> {
        let generation: Generation<'_> = read(self.generationConfig).unwrap_or_default();
        let options: Options<'_> = read(self.options).unwrap_or_default();
        let outer = [self.max_completion_tokens, self.max_output_tokens, self.max_tokens];
        let inner = [generation.maxOutputTokens, options.num_predict];
        outer.into_iter().chain(inner).find_map(read)
    }

    /// Whether an answer without any content may be right.
    fn stops(&self) -> bool {
        let generation: Generation<'_> = read(self.generationConfig).unwrap_or_default();
        let options: Options<'_> = read(self.options).unwrap_or_default();
        let stops = [self.stop, self.stop_sequences, generation.stopSequences, options.stop];
        stops.into_iter().any(is_filled) || self.most().is_some_and(|most| most <= TINY)
    }
}

/// The model in a path. There it decides, whatever the body says.
fn in_path(path: &str, place: Option<ModelPath<'_>>) -> Option<String> {
    place.map(|place| place.model()).or_else(|| deployment(path).map(String::from))
}

/// The deployment in the path of an Azure request.
fn deployment(path: &str) -> Option<&str> {
    const BEFORE: &str = "/openai/deployments/";
    // For a short text, unlike that of `str`, it prepares nothing.
    let at = memmem::find(path.as_bytes(), BEFORE.as_bytes())?;
    path[at + BEFORE.len()..].split('/').next().filter(|name| !name.is_empty())
}

/// Whether a picture is in a body.
fn has_images(body: &[u8]) -> bool {
    /// What is in each of the words.
    static IMAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"image"));
    IMAGE.find(body).is_some() && IMAGES.iter().any(|word| memmem::find(body, word).is_some())
}
