//! The path of a Gemini request, which names the model and whether the answer is streamed.

use std::borrow::Cow;

use http::Uri;
use memchr::memmem;

/// The parts of a path such as `/v1beta/models/gemini-2.5-flash:generateContent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelPath<'a> {
    /// The part before the model, with the model's collection.
    before: &'a str,
    model: &'a str,
    action: &'a str,
}

/// The collections of models.
const COLLECTIONS: [&str; 2] = ["/models/", "/tunedModels/"];
const STREAM: &str = "streamGenerateContent";
const ONCE: &str = "generateContent";

// === impl ModelPath ===

impl<'a> ModelPath<'a> {
    /// Parses a path; `None` for another method, or without a model.
    pub fn read(path: &'a str) -> Option<Self> {
        let (front, action) = path.trim_end_matches('/').rsplit_once(':')?;
        let known = action == STREAM || action == ONCE;
        let at = model_at(front).filter(|at| known && *at < front.len())?;
        Some(Self { before: &front[..at], model: &front[at..], action })
    }

    /// The model, percent-decoded.
    pub fn model(&self) -> String {
        decode(self.model)
    }

    /// The method after the colon: `generateContent` or `streamGenerateContent`.
    pub fn action(&self) -> &'a str {
        self.action
    }

    /// Whether the answer is streamed.
    pub fn is_stream(&self) -> bool {
        self.action == STREAM
    }
}

/// Whether a query asks for a stream of events. Without it a stream is one JSON array.
pub(crate) fn asks_for_events(query: &str) -> bool {
    query.split('&').any(|pair| matches!(pair, "alt=sse" | "$alt=sse" | "%24alt=sse"))
}

/// The part of a path that follows every base URL of the API: `/models/M:generateContent`.
pub(crate) fn endpoint(path: &str) -> &str {
    let starts = COLLECTIONS.iter().filter_map(|collection| path.rfind(collection));
    starts.max().map_or(path, |at| &path[at..])
}

/// The usual path of a model, after the version: `/models/M:generateContent`.
pub(crate) fn usual_path(model: &str, stream: bool) -> String {
    let action = if stream { STREAM } else { ONCE };
    format!("/models/{}:{action}", encode(model))
}

/// Replaces the model in the path; the rest of the URI stays as it is. A name may include its collection.
pub(crate) fn with_model(uri: &mut Uri, model: &str) {
    let Some(place) = ModelPath::read(uri.path()) else { return };
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

/// Changes a URI of Gemini to request an unstreamed answer: `streamGenerateContent` becomes `generateContent`, and `alt=sse` is
/// removed. The rest of the URI, and every other URI, stays as it is.
pub fn unstream_path(uri: &mut Uri) {
    let Some(place) = ModelPath::read(uri.path()).filter(ModelPath::is_stream) else { return };
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

/// The position of the model, after its collection.
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

/// The deployment in the path of an Azure request.
pub(crate) fn deployment(path: &str) -> Option<&str> {
    const BEFORE: &str = "/openai/deployments/";
    // For a short text this needs no preparation, unlike the search of `str`.
    let at = memmem::find(path.as_bytes(), BEFORE.as_bytes())?;
    path[at + BEFORE.len()..].split('/').next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_names_the_model_and_the_form() {
        for (path, model, stream) in [
            ("/v1beta/models/gemini-2.5-flash:generateContent", "gemini-2.5-flash", false),
            ("/v1beta/models/gemini-2.5-flash:streamGenerateContent", "gemini-2.5-flash", true),
            ("/v1beta/tunedModels/my%20own:generateContent", "my own", false),
            (
                "/v1/projects/p/locations/l/publishers/google/models/g:streamGenerateContent/",
                "g",
                true,
            ),
            ("/models/vendor/g:free:generateContent", "vendor/g:free", false),
        ] {
            let place = ModelPath::read(path).expect(path);
            assert_eq!((&*place.model(), place.is_stream()), (model, stream), "{path}");
        }
        for path in [
            "/v1beta/models/m:embedContent",
            "/v1beta/models/m:countTokens",
            "/v1beta/models/:generateContent",
            "/v1beta/models/m",
            "/v1beta/m:generateContent",
            "",
            ":generateContent",
        ] {
            assert_eq!(ModelPath::read(path), None, "{path}");
        }
    }

    #[test]
    fn another_model_changes_its_place_in_the_path_alone() {
        let uri = "https://a.example/v1beta/models/old:streamGenerateContent?alt=sse&x=%20";
        for (model, expected) in [
            ("new", uri.replace("old", "new")),
            ("a b?c#d%", uri.replace("old", "a%20b%3Fc%23d%25")),
            ("é", uri.replace("old", "%C3%A9")),
            ("models/new", uri.replace("old", "new")),
            ("tunedModels/new", uri.replace("models/old", "tunedModels/new")),
        ] {
            let mut rewritten = uri.parse().unwrap();
            with_model(&mut rewritten, model);
            assert_eq!(rewritten.to_string(), expected, "{model}");
        }
        let mut other: http::Uri = "https://a.example/v1beta/models".parse().unwrap();
        with_model(&mut other, "new");
        assert_eq!(other, "https://a.example/v1beta/models");
    }
}
