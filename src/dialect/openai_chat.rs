//! OpenAI chat completions (stub).

use bytes::Bytes;

use crate::{
    Response,
    classify::{Outcome, Verdict},
    dialect::Ask,
    stream::Seen,
};

#[derive(Debug, Default)]
pub(crate) struct Follower {}

impl Follower {
    pub(crate) fn event(&mut self, _data: &[u8], _seen: &mut Seen) {}
    pub(crate) fn is_whole(&self) -> bool {
        false
    }
}
pub(crate) fn check(_body: &[u8]) -> Verdict {
    Outcome::Success.into()
}
pub(crate) fn with_model(body: &Bytes, _model: &str) -> Bytes {
    body.clone()
}
pub(crate) fn render(_text: &str, _ask: &Ask) -> Response {
    Response::default()
}
