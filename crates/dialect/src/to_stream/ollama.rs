//! Ollama: the content is on one line, the end on the last.

use super::one_line::one_line;
use crate::tree::Node;

/// Fields that only the last line has.
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

pub(super) fn stream(mut answer: Node<'_>) -> Option<String> {
    let mut said = answer.clone();
    for name in LAST {
        said.remove(name);
    }
    said.set("done", Node::of("false"));
    if answer.at("message").is_some() {
        answer.set("message", Node::of(r#"{"role":"assistant","content":""}"#));
    } else {
        answer.at("response")?;
        answer.set("response", Node::of("\"\""));
        answer.remove("thinking");
    }
    Some(format!("{}\n{}\n", one_line(&said.json()), one_line(&answer.json())))
}
