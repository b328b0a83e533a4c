//! The key of shared state.

use std::{
    borrow::Cow,
    fmt,
    hash::{BuildHasher, Hash, Hasher, RandomState},
    sync::{Arc, LazyLock},
};

use crate::{Request, dialect::Ask};

/// The key of shared state: provider, model, credential and operation. One breaker and one budget per route.
///
/// The credential is a label, or a fingerprint that is new in every process; never the credential itself. The operation
/// is empty for chats. All operations of a provider, model and credential share their limits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Route {
    /// Provider, model and credential, one behind the other: a route is made for every call.
    text: Arc<str>,
    provider: usize,
    model: usize,
    operation: &'static str,
}

// === impl Route ===

impl Route {
    /// As many bytes are put together on the stack: nearly all routes are no longer.
    const SHORT: usize = 128;

    /// A route by its three parts. `credential` is a label for people, such as `team-a`: never the secret itself.
    pub fn new(provider: &str, model: &str, credential: &str) -> Self {
        let (model_at, credential_at) = (provider.len(), provider.len() + model.len());
        let parts = [provider, model, credential];
        let mut short = [0; Self::SHORT];
        let text = match credential_at + credential.len() {
            size @ ..=Self::SHORT => join(parts, &mut short[..size]).into(),
            _ => parts.concat().into(),
        };
        Self { text, provider: model_at, model: credential_at, operation: "" }
    }

    /// The route of a request that no target was chosen for: its host, the model in its body, and a fingerprint of its
    /// credential.
    pub(crate) fn of(request: &Request, ask: &Ask) -> Self {
        let model = ask.model().unwrap_or("-");
        Self::new(&provider(request.uri()), model, fingerprint(request.headers()).as_str())
            .with_operation(ask.effects.part())
    }

    /// The route of another operation with the same provider, model and credential; empty for chats.
    pub(crate) fn with_operation(self, operation: &'static str) -> Self {
        Self { operation, ..self }
    }

    /// The route of chats with the same provider, model and credential: the key of what all operations share, such as
    /// limits.
    #[must_use]
    pub fn without_operation(&self) -> Self {
        self.clone().with_operation("")
    }

    /// The route of requests that are others than those of the same model: `facet` goes behind the model's name.
    pub(crate) fn with_facet(&self, facet: &str) -> Self {
        let model = [self.model(), facet].concat();
        Self::new(self.provider(), &model, self.credential()).with_operation(self.operation)
    }

    /// The provider: a name, or the host of its base URL.
    pub fn provider(&self) -> &str {
        &self.text[..self.provider]
    }

    /// The model, or `-` where none is known.
    pub fn model(&self) -> &str {
        &self.text[self.provider..self.model]
    }

    /// The label or fingerprint of the credential, or `-` where there is none.
    pub fn credential(&self) -> &str {
        &self.text[self.model..]
    }

    /// The operation, such as `embeddings` or `files`; empty for chats. An unknown one is named by its method and path,
    /// without the ids in it.
    pub fn operation(&self) -> &str {
        self.operation
    }
}

/// The parts one behind the other, in a place of their length.
fn join<'a>(parts: [&str; 3], place: &'a mut [u8]) -> &'a str {
    let mut at = 0;
    for part in parts {
        place[at..at + part.len()].copy_from_slice(part.as_bytes());
        at += part.len();
    }
    std::str::from_utf8(place).expect("texts one behind the other are a text")
}

/// The host and port of a URI, without a user that may stand before them.
pub(crate) fn provider(uri: &http::Uri) -> Cow<'_, str> {
    match (uri.host(), uri.port_u16()) {
        (Some(host), Some(port)) => format!("{host}:{port}").into(),
        (Some(host), None) => host.into(),
        (None, _) => "local".into(),
    }
}

/// The headers that carry a credential, of all providers.
pub(crate) const CREDENTIALS: [&str; 4] =
    ["authorization", "x-api-key", "api-key", "x-goog-api-key"];

/// Eight hexadecimal digits that tell one credential from another within this process, and nothing else.
pub(crate) struct Fingerprint(Option<[u8; 8]>);

pub(crate) fn fingerprint(headers: &http::HeaderMap) -> Fingerprint {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let mut hasher = KEY.build_hasher();
    let mut any = false;
    for value in CREDENTIALS.iter().filter_map(|name| headers.get(*name)) {
        value.as_bytes().hash(&mut hasher);
        any = true;
    }
    let sum = hasher.finish();
    let digit = |at: usize| b"0123456789abcdef"[(sum >> (4 * at)) as usize % 16];
    Fingerprint(any.then(|| std::array::from_fn(digit)))
}

impl Fingerprint {
    /// The digits, or `-` where there is no credential.
    pub(crate) fn as_str(&self) -> &str {
        let digits = self.0.as_ref().map_or(&b"-"[..], |digits| digits);
        std::str::from_utf8(digits).expect("digits are ASCII")
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.provider(), self.model(), self.credential())?;
        match self.operation {
            "" => Ok(()),
            operation => write!(f, " ({operation})"),
        }
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
