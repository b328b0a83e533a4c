//! Renders a synthetic reply as an answer of this API.

use crate::{
    AnswerForm, RequestInfo, Response, SyntheticReply,
    reply::{JSON, LINES, json, reply},
};

/// Renders a reply as JSON or as lines, as the request asks.
pub(crate) fn render<'a>(said: impl Into<SyntheticReply<'a>>, info: &RequestInfo) -> Response {
    let said = said.into();
    let (input, output, _) = said.counts();
    let end = format!(
        r#""done":true,"done_reason":"stop","total_duration":0,"load_duration":0,"prompt_eval_count":{input},"prompt_eval_duration":0,"eval_count":{output},"eval_duration":0"#
    );
    let created = jiff::Timestamp::now();
    let head = format!(r#""model":{},"created_at":"{created}""#, said.model(info));
    let saying = |text: &str| match info.form {
        AnswerForm::Generate => format!(r#""response":{}"#, json(text)),
        _ => format!(r#""message":{{"role":"assistant","content":{}}}"#, json(text)),
    };
    let (word, context) = match info.form {
        AnswerForm::Generate => (saying(said.text), r#","context":[]"#),
        _ => (saying(said.text), ""),
    };
    if info.stream() {
        let (first, last) = (format!(r#"{{{head},{word},"done":false}}"#), saying(""));
        reply(LINES, format!("{first}\n{{{head},{last},{end}{context}}}\n"))
    } else {
        reply(JSON, format!("{{{head},{word},{end}{context}}}"))
    }
}
