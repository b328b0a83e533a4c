//! References in the body of a request to things that are stored at one account.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde_json::Value;

use crate::{
    Dialect,
    effects::Ties,
    json::{is_filled, is_true},
    wanted::Wanted,
};

/// Fields with the input of the caller's own tools, or its schema: they have no meaning for the provider.
const OWN: [&str; 9] = [
    "arguments",
    "args",
    "parameters",
    "parametersJsonSchema",
    "input_schema",
    "json_schema",
    "schema",
    "response",
    "text",
];

/// The body of a request in which references are looked for.
#[derive(Clone, Copy)]
pub(super) struct TiedBody<'a> {
    pub(super) dialect: Option<Dialect>,
    pub(super) bytes: &'a [u8],
    /// Whether it has too many values to be parsed: then a word alone counts as a reference.
    pub(super) dense: bool,
}

/// Words, of which every body with such a reference contains one.
type Words = LazyLock<Box<[Finder<'static>]>>;

macro_rules! words {
    ($($word:literal),*) => { LazyLock::new(|| [$(&$word[..]),*].map(Finder::new).into()) };
}

static OF_A_FILE: Words = words![b"\"file_id\""];
static OF_RESPONSES: Words =
    words![b"\"file_id", b"\"item_reference\"", b"\"vector_store_ids\"", b"\"container\""];
static OF_GEMINI: Words = words![b"\"fileUri\"", b"\"file_uri\""];

/// The words of a dialect.
fn words(dialect: Dialect) -> &'static [Finder<'static>] {
    match dialect {
        Dialect::OpenAiChat | Dialect::Anthropic => &OF_A_FILE,
        Dialect::OpenAiResponses => &OF_RESPONSES,
        Dialect::Gemini => &OF_GEMINI,
        Dialect::Ollama => &[],
    }
}

// === impl Ties ===

impl Ties {
    /// The references in a request to that model.
    pub(super) fn read(body: TiedBody<'_>, wanted: &Wanted<'_>, model: Option<&str>) -> Self {
        if body.dialect.is_none() {
            return Self::default();
        }
        let changing = is_filled(wanted.conversation)
            || is_filled(wanted.container)
            || is_true(wanted.background);
        let kept = [wanted.previous_response_id, wanted.cachedContent, wanted.cached_content];
        let account = changing || kept.into_iter().any(is_filled) || body.has_reference();
        let own = |model: &str| model.starts_with("ft:") || model.starts_with("arn:");
        Self { account, changing, model: model.is_some_and(own) }
    }
}

// === impl TiedBody ===

impl TiedBody<'_> {
    /// Whether the body references anything stored at the provider. Most bodies have none of the words, and are not parsed.
    fn has_reference(self) -> bool {
        let words = self.dialect.map_or(&[][..], words);
        let may = words.iter().any(|word| word.find(self.bytes).is_some());
        may && (self.dense || serde_json::from_slice(self.bytes).is_ok_and(|body| is_kept(&body)))
    }
}

fn is_kept(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_kept),
        Value::Object(fields) => {
            let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
            let own =
                |name: &str| OWN.contains(&name) || (name == "input" && kind.ends_with("tool_use"));
            kind == "item_reference"
                || fields.iter().any(|(name, value)| {
                    !own(name) && (is_reference(name, value) || is_kept(value))
                })
        }
        _ => false,
    }
}

/// Whether a field references something that was created before.
fn is_reference(name: &str, value: &Value) -> bool {
    let word = value.as_str().is_some_and(|word| !word.is_empty());
    let list = value.as_array().is_some_and(|items| !items.is_empty());
    match name {
        "file_id" | "container" => word,
        "file_ids" | "vector_store_ids" => list,
        // Anyone can fetch videos and images of the public web.
        "fileUri" | "file_uri" => value.as_str().is_some_and(|uri| {
            uri.starts_with("gs://") || uri.starts_with("files/") || uri.contains("/files/")
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::RequestInfo;

    fn bound(path: &str, body: &str) -> bool {
        let body = bytes::Bytes::copy_from_slice(body.as_bytes());
        RequestInfo::read(&http::Request::post(path).body(body).unwrap())
            .effects
            .is_bound_to(crate::TargetDifference { account: true, model: false })
    }

    #[test]
    fn what_is_kept_at_an_account_binds_a_call_to_it() {
        for (path, body) in [
            ("/v1/responses", r#"{"previous_response_id":"resp_1","input":"hi"}"#),
            ("/v1/responses", r#"{"conversation":{"id":"conv_1"},"input":"hi"}"#),
            ("/v1/responses", r#"{"background":true,"input":"hi"}"#),
            ("/v1/responses", r#"{"input":[{"type":"item_reference","id":"msg_1"}]}"#),
            (
                "/v1/responses",
                r#"{"input":[{"content":[{"type":"input_file","file_id":"file-1"}]}]}"#,
            ),
            ("/v1/responses", r#"{"tools":[{"type":"file_search","vector_store_ids":["vs_1"]}]}"#),
            ("/v1/responses", r#"{"tools":[{"type":"code_interpreter","container":"cntr_1"}]}"#),
            ("/v1/responses", r#"{"tools":[{"container":{"type":"auto","file_ids":["file-1"]}}]}"#),
            (
                "/v1/chat/completions",
                r#"{"messages":[{"content":[{"file":{"file_id":"file-1"}}]}]}"#,
            ),
            ("/v1/chat/completions", r#"{"model":"ft:gpt-4o:acme::1","messages":[]}"#),
            ("/v1/messages", r#"{"container":"container_1","messages":[]}"#),
            (
                "/v1/messages",
                r#"{"messages":[{"content":[{"source":{"type":"file","file_id":"file_1"}}]}]}"#,
            ),
            (
                "/v1beta/models/m:generateContent",
                r#"{"contents":[{"parts":[{"fileData":{"fileUri":"https://generativelanguage.googleapis.com/v1beta/files/a"}}]}]}"#,
            ),
            ("/v1beta/models/m:generateContent", r#"{"cachedContent":"cachedContents/1"}"#),
        ] {
            assert!(bound(path, body), "{body}");
        }
    }

    #[test]
    fn a_body_that_is_too_dense_to_be_parsed_is_bound_by_the_word_alone() {
        let of = |word: &str| {
            format!(
                r#"{{"x":[{}0],"messages":[{{"text":{{"{word}":"a"}}}}]}}"#,
                "0,".repeat(300_000)
            )
        };
        assert!(bound("/v1/chat/completions", &of("file_id")));
        assert!(!bound("/v1/chat/completions", &of("file")));
    }

    #[test]
    fn what_only_looks_like_it_binds_no_call() {
        for (path, body) in [
            ("/v1/responses", r#"{"input":"what is a \"file_id\"?","previous_response_id":null}"#),
            (
                "/v1/responses",
                r#"{"background":false,"tools":[{"type":"code_interpreter","container":{"type":"auto"}}]}"#,
            ),
            (
                "/v1/responses",
                r#"{"tools":[{"type":"function","parameters":{"properties":{"file_id":{"type":"string"},"container":"x"}}}]}"#,
            ),
            ("/v1/chat/completions", r#"{"messages":[{"content":"file_id: file-1"}]}"#),
            (
                "/v1/messages",
                r#"{"messages":[{"content":[{"type":"tool_use","input":{"file_id":"file_1"}}]}]}"#,
            ),
            (
                "/v1beta/models/m:generateContent",
                r#"{"contents":[{"parts":[{"fileData":{"fileUri":"https://www.youtube.com/watch?v=1"}},{"functionCall":{"args":{"fileUri":"files/a"}}}]}]}"#,
            ),
        ] {
            assert!(!bound(path, body), "{body}");
        }
    }
}
