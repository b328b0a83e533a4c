//! `POST /api/ask`: a question in, its answer out, part by part.

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::StreamExt;
use http::{
    HeaderMap, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use serde::Deserialize;

use crate::{
    app::App,
    assistant,
    language::Language,
    reply::{self, ReplyPart},
};

/// A conversation, with the question as its last turn.
#[derive(Debug, Deserialize)]
pub(crate) struct Question {
    pub(crate) turns: Vec<Turn>,
}

/// One turn of a conversation: `{"visitor": "…"}` or `{"bot": "…"}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Turn {
    Visitor(String),
    Bot(String),
}

/// Answers with one JSON object for each part, each on its own line. An answer that the visitor leaves is dropped with the
/// body, and that ends the attempt at the provider.
pub(crate) async fn ask(
    State(app): State<App>,
    headers: HeaderMap,
    Json(question): Json<Question>,
) -> Response {
    if let Err(reason) = question.check() {
        return (StatusCode::BAD_REQUEST, reason).into_response();
    }
    let language = Language::of(&headers);
    if let Some(embedded) = &app.providers().embedded {
        embedded.set_language(language);
    }
    let call = app.client().send(assistant::request(&question, language));
    let lines = reply::parts(call, language).map(|part| line(&part));
    let headers = [
        (CONTENT_TYPE, "application/x-ndjson"),
        (CACHE_CONTROL, "no-store"),
        // nginx and others then pass each part on at once.
        (http::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(lines)).into_response()
}

fn line(part: &ReplyPart) -> serde_json::Result<Bytes> {
    let mut line = serde_json::to_vec(part)?;
    line.push(b'\n');
    Ok(line.into())
}

// === impl Question ===

impl Question {
    /// The maximum number of turns. The page sends the last ones.
    pub(crate) const MAX_TURNS: usize = 20;
    /// The maximum length of the question, in characters.
    pub(crate) const MAX_LENGTH: usize = 2000;

    fn check(&self) -> Result<(), String> {
        let (most, length) = (Self::MAX_TURNS, self.turns.len());
        if length > most {
            return Err(format!("a conversation has at most {most} turns (got {length})"));
        }
        let Some(Turn::Visitor(text)) = self.turns.last() else {
            return Err("the last turn must be the visitor's".into());
        };
        match (text.trim().is_empty(), text.chars().count()) {
            (true, _) => Err("the question is empty".into()),
            (_, length) if length > Self::MAX_LENGTH => Err(format!(
                "a question has at most {} characters (got {length})",
                Self::MAX_LENGTH
            )),
            _ => Ok(()),
        }
    }
}
