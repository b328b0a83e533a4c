//! Gemini: a whole answer is one chunk.

use super::one_line::one_line;
use crate::{AnswerForm, tree::Node};

pub(super) fn stream(answer: &Node<'_>, form: AnswerForm) -> Option<String> {
    if answer.at("candidates").is_none() && answer.at("promptFeedback").is_none() {
        return None;
    }
    let json = one_line(&answer.json());
    Some(match form {
        AnswerForm::Array => format!("[{json}]"),
        _ => format!("data: {json}\r\n\r\n"),
    })
}
