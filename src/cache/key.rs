//! The cache key: a digest of everything in a request that changes its answer.

use std::fmt;

use http::{HeaderMap, HeaderName, Uri};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    Request,
    dialect::{Dialect, ModelPath, RequestInfo},
    identity::{IdentityPolicy, Pair},
};

/// A digest of everything in a request that changes its answer: equal exactly if two requests ask the same for the same tenant.
///
/// A SHA-256 digest: neither the request nor its credential can be recovered from it. It is the same in every process, so it can
/// be the key of a store that outlives this one. Displayed as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 32]);

/// The tenant that an answer is for: no tenant ever gets the answer of another. Put one into the extensions of a request.
///
/// It replaces the credential in the key. Use it if the credential changes with every call, or if all customers share one. A name
/// that a caller may choose is a [`Tenant::of_caller`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Tenant {
    name: Box<str>,
    /// Whether the credential is part of the key as well.
    of_caller: bool,
}

/// The fields of a request that do not change its answer: the form of the answer, the user, labels and billing.
const NEUTRAL: [&str; 10] = [
    "stream",
    "stream_options",
    "user",
    "metadata",
    "labels",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "service_tier",
    "keep_alive",
];

/// The headers of any provider that change an answer.
const TELLING: [&str; 3] = ["anthropic-version", "anthropic-beta", "openai-beta"];

/// Writes into a digest: each piece with its kind and length, so that different requests never give the same bytes.
struct Writer(Sha256);

// === impl Key ===

impl Key {
    /// The key of a request; `None` if its answer must not be stored: the dialect is not known, the body is not a JSON object or has
    /// too many values, or the request changes state at the provider. `vary` are additional headers that change an answer.
    pub(super) fn of(request: &Request, info: &RequestInfo, vary: &[HeaderName]) -> Option<Self> {
        let dialect = info.dialect()?;
        // Nothing is parsed before it is known to be bounded.
        if info.is_dense() || info.effects().is_changing() {
            return None;
        }
        let Ok(Value::Object(body)) = serde_json::from_slice(request.body()) else { return None };
        let mut writer = Writer(Sha256::new());
        writer.text('v', "evenkeel 1");
        writer.place(request, dialect);
        let tenant = request.extensions().get::<Tenant>();
        writer.tenant(tenant, request);
        writer.headers(request.headers(), vary);
        writer.object(body.iter().filter(|(name, _)| !NEUTRAL.contains(&name.as_str())));
        Some(Self(writer.0.finalize().into()))
    }

    /// The digest itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// === impl Tenant ===

impl Tenant {
    /// A tenant by a unique name.
    pub fn new(name: impl AsRef<str>) -> Self {
        Self { name: name.as_ref().into(), of_caller: false }
    }

    /// A tenant of the caller: its name and the credential are both in the key. So a caller that names its tenants itself, as in a
    /// header, never gets an answer of another caller, whatever name it sends.
    pub fn of_caller(name: impl AsRef<str>) -> Self {
        Self { name: name.as_ref().into(), of_caller: true }
    }

    /// Whether the name is blank: most likely a value that was not set.
    pub(crate) fn is_blank(&self) -> bool {
        self.name.trim().is_empty()
    }
}

impl From<&str> for Tenant {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Tenant {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tenant")
    }
}

// === impl Writer ===

impl Writer {
    fn text(&mut self, kind: char, text: &str) {
        self.bytes(kind, text.as_bytes());
    }

    fn bytes(&mut self, kind: char, bytes: &[u8]) {
        self.0.update([kind as u8]);
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// Writes the URI, without the parts that set the form of the answer.
    fn place(&mut self, request: &Request, dialect: Dialect) {
        let (uri, identity) = (request.uri(), IdentityPolicy::of(request.extensions()));
        self.text('h', &uri.host().unwrap_or_default().to_ascii_lowercase());
        self.text('n', &uri.port_u16().map(|port| port.to_string()).unwrap_or_default());
        let path = uri.path().trim_end_matches('/');
        match ModelPath::read(path).filter(|_| dialect == Dialect::Gemini) {
            // The action tells whether it streams.
            Some(place) => self.text('p', &path[..path.len() - place.action().len()]),
            None => self.text('p', path),
        }
        let secret = |pair: &Pair<'_>| identity.is_secret_key(&pair.key());
        for pair in pairs(uri).into_iter().filter(|pair| !secret(pair) && !is_form(*pair)) {
            self.text('q', pair.as_str());
        }
    }

    /// Writes the tenant if there is one; everything that identifies the caller, unless the tenant replaces it.
    fn tenant(&mut self, tenant: Option<&Tenant>, request: &Request) {
        match tenant {
            Some(Tenant { name, of_caller: false }) => return self.text('t', name),
            Some(Tenant { name, of_caller: true }) => self.text('u', name),
            None => {}
        }
        let identity = IdentityPolicy::of(request.extensions());
        let headers = request.headers().iter();
        let personal = headers.filter(|(name, value)| identity.is_personal(name, value));
        let mut personal: Vec<_> = personal.map(|(name, value)| (name.as_str(), value)).collect();
        personal.sort_by_key(|(name, _)| *name);
        for (name, value) in personal {
            self.text('c', name);
            self.bytes('s', value.as_bytes());
        }
        for pair in pairs(request.uri()) {
            if identity.is_secret_key(&pair.key()) {
                self.text('s', pair.as_str());
            }
        }
    }

    fn headers(&mut self, headers: &HeaderMap, vary: &[HeaderName]) {
        for name in TELLING.into_iter().chain(vary.iter().map(HeaderName::as_str)) {
            for value in headers.get_all(name) {
                self.text('y', name);
                self.bytes('x', value.as_bytes());
            }
        }
    }

    /// Writes an object in the order of its field names.
    fn object<'a>(&mut self, fields: impl Iterator<Item = (&'a String, &'a Value)>) {
        let mut fields: Vec<_> = fields.collect();
        fields.sort_unstable_by_key(|(name, _)| *name);
        self.bytes('{', &(fields.len() as u64).to_le_bytes());
        for (name, value) in fields {
            self.text('k', name);
            self.value(value);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.text('0', ""),
            Value::Bool(true) => self.text('1', ""),
            Value::Bool(false) => self.text('2', ""),
            Value::Number(number) => self.text('#', &plain(number)),
            Value::String(text) => self.text('"', text),
            Value::Array(items) => {
                self.bytes('[', &(items.len() as u64).to_le_bytes());
                items.iter().for_each(|item| self.value(item));
            }
            Value::Object(fields) => self.object(fields.iter()),
        }
    }
}

/// A number by its value: `1` and `1.0` are the same.
fn plain(number: &serde_json::Number) -> String {
    /// Below this a double represents every integer exactly.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(float) if float.fract() == 0.0 && float.abs() < EXACT => (float as i64).to_string(),
        _ => number.to_string(),
    }
}

/// The pairs of a query, sorted.
fn pairs(uri: &Uri) -> Vec<Pair<'_>> {
    let mut pairs: Vec<_> = Pair::all(uri.query().unwrap_or_default()).collect();
    pairs.sort_unstable_by_key(|pair| pair.as_str());
    pairs
}

/// Whether a pair of a query sets the form of the answer.
fn is_form(pair: Pair<'_>) -> bool {
    ["alt", "$alt"].contains(&&*pair.key())
}
