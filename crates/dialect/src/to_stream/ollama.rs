//! Ollama: what is said comes on a line of its own, the end on the last.

use super::one_line::one_line;
use crate::lazy_json::LazyJson;

/// What only the last line has.
const LAST: [&str; 8] = [
    "done_reason",
    "context",
    "total_duration",
    "load_duration",
    "prompt_eval_count",
    "prompt_eval_duration",
    "eval_count",
    "eval_duration",
];

pub(super) fn stream(mut answer: LazyJson<'_>) -> Option<String> {
    let mut said = answer.clone();
    for name in LAST {
        said.remove(name);
    }
    said.set("done", LazyJson::of("false"));
    if answer.get("message").is_some() {
        answer.set("message", LazyJson::of(r#"{"role":"assistant","content":""}"#));
    } else {
        answer.get("response")?;
        answer.set("response", LazyJson::of("\"\""));
        answer.remove("thinking");
    }
    Some(format!("{}\n{}\n", one_line(&said.json()), one_line(&answer.json())))
}
