//! Gemini: a whole answer is a chunk.

use super::one_line::one_line;
use crate::{AnswerForm, lazy_json::LazyJson};

pub(super) fn stream(answer: &LazyJson<'_>, form: AnswerForm) -> Option<String> {
    if answer.get("candidates").is_none() && answer.get("promptFeedback").is_none() {
        return None;
    }
    let json = one_line(&answer.json());
    Some(match form {
        AnswerForm::Array => format!("[{json}]"),
        _ => format!("data: {json}\r\n\r\n"),
    })
}
