//! Renders a text of ours as an answer of this API.

use crate::{
    Response,
    dialect::{
        Ask, Form,
        reply::{JSON, LINES, json, model, reply},
    },
};

const END: &str = r#""done":true,"done_reason":"stop","total_duration":0,"load_duration":0,"prompt_eval_count":0,"prompt_eval_duration":0,"eval_count":0,"eval_duration":0"#;

/// A text as an answer, as JSON or by the line, whichever was asked. It cost no token.
pub(crate) fn render(text: &str, ask: &Ask) -> Response {
    let created = jiff::Timestamp::now();
    let head = format!(r#""model":{},"created_at":"{created}""#, model(ask));
    let said = |text: &str| match ask.form {
        Form::Generate => format!(r#""response":{}"#, json(text)),
        _ => format!(r#""message":{{"role":"assistant","content":{}}}"#, json(text)),
    };
    let (word, context) = match ask.form {
        Form::Generate => (said(text), r#","context":[]"#),
        _ => (said(text), ""),
    };
    if ask.stream() {
        let (first, last) = (format!(r#"{{{head},{word},"done":false}}"#), said(""));
        reply(LINES, format!("{first}\n{{{head},{last},{END}{context}}}\n"))
    } else {
        reply(JSON, format!("{{{head},{word},{END}{context}}}"))
    }
}
