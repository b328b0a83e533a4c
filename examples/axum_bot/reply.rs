//! One answer: the parts that the page gets, in order.

use std::collections::VecDeque;

use evenkeel::{
    Body, Error, Response, ResponseExt, ResponseFuture, ServedBy, context::AttemptLog,
    stream::BodyEnd,
};
use futures_util::{Stream, stream};
use http_body_util::BodyExt;
use serde::Serialize;

use crate::{
    content::ContentReader,
    errors,
    language::{Language, Texts},
};

/// A part of an answer. The first is `Source` or `Failed`, the last is `End`.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ReplyPart {
    /// What answers, and the label of an answer that is not the usual one.
    Source { source: Source, label: Option<&'static str> },
    /// The next words.
    Words { text: String },
    /// There is no answer, or no rest of it.
    Failed { text: &'static str },
    /// The end, with the attempts of the call for the operator.
    End { attempts: String },
}

/// What answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// The first target.
    Primary,
    /// A target below it.
    Backup,
    /// No model: a text of ours.
    Canned,
}

/// An answer on its way.
struct Reply {
    step: Step,
    /// The parts that are not handed on yet: at most two.
    ready: VecDeque<ReplyPart>,
    attempts: AttemptLog,
    texts: &'static Texts,
}

/// What comes next.
enum Step {
    Ask(ResponseFuture),
    Read(Body, ContentReader),
    End,
    Done,
}

/// The parts of the answer to a call. No task runs beside the stream, so to drop it ends the call.
pub(crate) fn parts(call: ResponseFuture, language: Language) -> impl Stream<Item = ReplyPart> {
    let reply = Reply {
        step: Step::Ask(call),
        ready: VecDeque::new(),
        attempts: AttemptLog::default(),
        texts: language.texts(),
    };
    stream::unfold(reply, Reply::next)
}

// === impl Source ===

impl Source {
    fn of(response: &Response) -> Self {
        match response.served_by() {
            ServedBy::Canned { .. } => Self::Canned,
            served if served.is_degraded() => Self::Backup,
            _ => Self::Primary,
        }
    }

    fn label(self, texts: &Texts) -> Option<&'static str> {
        match self {
            Self::Primary => None,
            Self::Backup => Some(texts.backup_label),
            Self::Canned => Some(texts.canned_label),
        }
    }
}

// === impl Reply ===

impl Reply {
    async fn next(mut self) -> Option<(ReplyPart, Self)> {
        loop {
            if let Some(part) = self.ready.pop_front() {
                return Some((part, self));
            }
            self.step = match std::mem::replace(&mut self.step, Step::Done) {
                Step::Ask(call) => {
                    let answer = call.await;
                    self.begin(answer)
                }
                Step::Read(body, reader) => self.read(body, reader).await,
                Step::End => {
                    self.ready.push_back(ReplyPart::End { attempts: describe(&self.attempts) });
                    Step::Done
                }
                Step::Done => return None,
            };
        }
    }

    /// Begins to read an answer, or reports that there is none.
    fn begin(&mut self, answer: Result<Response, Error>) -> Step {
        match answer.and_then(ResponseExt::into_result) {
            Ok(response) => {
                self.attempts = response.attempt_log();
                let source = Source::of(&response);
                self.ready.push_back(ReplyPart::Source { source, label: source.label(self.texts) });
                Step::Read(response.into_body(), ContentReader::default())
            }
            Err(error) => {
                self.attempts = error.attempt_log().cloned().unwrap_or_default();
                let text = errors::apology(&error, self.texts);
                self.ready.push_back(ReplyPart::Failed { text });
                Step::End
            }
        }
    }

    /// Reads the next words. The visitor has seen those before, so a failure is reported and not hidden.
    async fn read(&mut self, mut body: Body, mut reader: ContentReader) -> Step {
        match body.frame().await {
            Some(Ok(frame)) => {
                let text = frame.data_ref().map(|chunk| reader.read(chunk)).unwrap_or_default();
                if !text.is_empty() {
                    self.ready.push_back(ReplyPart::Words { text });
                }
                Step::Read(body, reader)
            }
            Some(Err(_)) => {
                self.ready.push_back(ReplyPart::Failed { text: self.texts.broken_off });
                Step::End
            }
            None => Step::End,
        }
    }
}

/// The attempts in one line, and how the answer ended if it is not whole: an attempt succeeds with its first words.
fn describe(attempts: &AttemptLog) -> String {
    match attempts.ending() {
        None | Some(BodyEnd::Done) => attempts.to_string(),
        Some(ending) => format!("{attempts}, then {}", ending.outcome()),
    }
}
