//! The path of a request: here it names the model, and says whether the answer is streamed.

use std::borrow::Cow;

use http::Uri;

use crate::dialect::RequestInfo;

/// What a path such as `/v1beta/models/gemini-2.5-flash:generateContent` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    /// What stands before the model, with the collection that the model is in.
    before: &'a str,
    model: &'a str,
    action: &'a str,
}

/// The collections that a model can be in.
const COLLECTIONS: [&str; 2] = ["/models/", "/tunedModels/"];
const STREAM: &str = "streamGenerateContent";
const ONCE: &str = "generateContent";

// === impl Place ===

impl<'a> Place<'a> {
    /// Reads a path; `None` for one that asks something else.
    pub(crate) fn read(path: &'a str) -> Option<Self> {
        let (front, action) = path.trim_end_matches('/').rsplit_once(':')?;
        let known = action == STREAM || action == ONCE;
        let at = model_at(front).filter(|at| known && *at < front.len())?;
        Some(Self { before: &front[..at], model: &front[at..], action })
    }

    pub(crate) fn model(&self) -> String {
        decode(self.model)
    }

    pub(crate) fn action(&self) -> &'a str {
        self.action
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.action == STREAM
    }
}

/// Whether a query asks for a stream of events. Without it a stream is one JSON array.
pub(crate) fn asks_for_events(query: &str) -> bool {
    query.split('&').any(|pair| matches!(pair, "alt=sse" | "$alt=sse" | "%24alt=sse"))
}

/// The part of a path that every base URL of the API goes before: `/models/M:generateContent`.
pub(crate) fn endpoint(path: &str) -> &str {
    let starts = COLLECTIONS.iter().filter_map(|collection| path.rfind(collection));
    starts.max().map_or(path, |at| &path[at..])
}

/// Where a model is asked as a rule: `/models/M:generateContent`, with a version before it where the base has none.
pub(crate) fn usual_path(ask: &RequestInfo, versioned: bool) -> String {
    let version = if versioned { "" } else { "/v1beta" };
    let model = encode(ask.model().unwrap_or("-"));
    let action = if ask.stream() { STREAM } else { ONCE };
    format!("{version}/models/{model}:{action}")
}

/// Puts another model into the path; the rest of the URI stays as it was. A name may come with its collection.
pub(crate) fn with_model(uri: &mut Uri, model: &str) {
    let Some(place) = Place::read(uri.path()) else { return };
    let whole = format!("/{model}");
    let collection = COLLECTIONS.iter().find(|collection| whole.starts_with(**collection));
    let (before, model): (Cow<'_, str>, _) = match collection {
        Some(collection) => {
            let stem = COLLECTIONS.iter().find_map(|known| place.before.strip_suffix(known));
            let before = format!("{}{collection}", stem.unwrap_or_default());
            (before.into(), &model[collection.len() - 1..])
        }
        None => (place.before.into(), model),
    };
    let query = uri.query().map_or(String::new(), |query| format!("?{query}"));
    let path = format!("{before}{}:{}{query}", encode(model), place.action);
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = path.parse().ok();
    if let Ok(rewritten) = Uri::from_parts(parts) {
        *uri = rewritten;
    }
}

/// Asks for the answer in one piece; the rest of the URI stays as it was.
pub(crate) fn unstream(uri: &mut Uri) {
    let Some(place) = Place::read(uri.path()).filter(Place::is_stream) else { return };
    let path = format!("{}{}:generateContent", place.before, place.model);
    let pairs = uri.query().unwrap_or_default().split('&');
    let pairs = pairs.filter(|pair| !pair.is_empty() && !asks_for_events(pair));
    let query = pairs.collect::<Vec<_>>().join("&");
    let mark = if query.is_empty() { "" } else { "?" };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = format!("{path}{mark}{query}").parse().ok();
    if let Ok(rewritten) = Uri::from_parts(parts) {
        *uri = rewritten;
    }
}

/// Where the model begins, behind its collection.
fn model_at(front: &str) -> Option<usize> {
    let ends =
        COLLECTIONS.iter().filter_map(|name| front.rfind(name).map(|start| start + name.len()));
    ends.max()
}

fn encode(model: &str) -> String {
    let mut text = String::with_capacity(model.len());
    for byte in model.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'@'
            | b'/'
            | b':' => text.push(byte.into()),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let pair = bytes.get(at + 1..at + 3).filter(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        let code = pair.and_then(|pair| std::str::from_utf8(pair).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) if *byte == b'%' => {
                out.push(code);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
