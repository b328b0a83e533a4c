//! What a request asks for.

use memchr::memmem;

use super::json::{Raw, fields, is_filled, is_true, read, text};
use crate::{Request, dialect::Dialect};

/// What a request asks for, read once, without copying its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    pub(crate) dialect: Option<Dialect>,
    pub(crate) model: Option<Box<str>>,
    pub(crate) stream: bool,
    pub(crate) stream_usage: bool,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) tools: bool,
    pub(crate) images: bool,
}

fields! {
    /// The fields of a request that tell what it asks for.
    struct Wanted<'a> {
        model: Raw<'a>,
        stream: Raw<'a>,
        stream_options: Raw<'a>,
        max_tokens: Raw<'a>,
        max_completion_tokens: Raw<'a>,
        max_output_tokens: Raw<'a>,
        tools: Raw<'a>,
        functions: Raw<'a>,
    }
}

fields! {
    struct StreamOptions<'a> {
        include_usage: Raw<'a>,
    }
}

/// The words that stand before a picture in a request.
const IMAGES: [&[u8]; 3] = [b"\"image_url\"", b"\"input_image\"", b"\"type\":\"image\""];

// === impl Ask ===

impl Ask {
    /// Reads a request: its path tells the dialect, its body the rest. A body that cannot be read asks for nothing.
    ///
    /// A request without a body asks no model anything, whatever its path: it lists or fetches what is stored.
    pub fn read(request: &Request) -> Self {
        let path = request.uri().path();
        let dialect = Dialect::of_path(path).filter(|_| !request.body().is_empty());
        let wanted: Wanted<'_> = serde_json::from_slice(request.body()).unwrap_or_default();
        let deployment = deployment(path).map(Box::from);
        let most = [wanted.max_completion_tokens, wanted.max_output_tokens, wanted.max_tokens];
        let options = read::<StreamOptions<'_>>(wanted.stream_options);
        let images = IMAGES.iter().any(|word| memmem::find(request.body(), word).is_some());
        Self {
            dialect,
            model: deployment.or_else(|| text(wanted.model).map(String::into_boxed_str)),
            stream: is_true(wanted.stream),
            stream_usage: options.is_some_and(|o| is_true(o.include_usage)),
            max_tokens: most.into_iter().find_map(read),
            tools: is_filled(wanted.tools) || is_filled(wanted.functions),
            images,
        }
    }

    /// The dialect of the request; `None` for a path that is passed through.
    pub fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    /// The model that is asked: the one in the body, or the deployment in the path of an Azure request.
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
}

/// The deployment in the path of an Azure request: there it decides on the model, whatever the body says.
fn deployment(path: &str) -> Option<&str> {
    let (_, rest) = path.split_once("/openai/deployments/")?;
    rest.split('/').next().filter(|name| !name.is_empty())
}
