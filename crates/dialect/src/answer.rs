//! Classifies an answer that was not streamed, in any dialect.

use crate::{
    AnswerInfo, Dialect, Expected,
    answer_state::AnswerState,
    outcome::{Outcome, Verdict},
    reader::EventReader,
};

// === impl Dialect ===

impl Dialect {
    /// Parses an answer that was not streamed. Returns its outcome, [`Outcome::Success`] or [`Outcome::Blocked`], or the verdict
    /// on a body that is not a whole answer (empty, malformed, truncated, an error inside a 200); and the facts of the answer.
    pub fn check(
        self,
        expected: impl Into<Expected>,
        body: &[u8],
    ) -> (Result<Outcome, Verdict>, AnswerInfo) {
        let expected = expected.into();
        match EventReader::new(self, expected.codes()).read_whole(body) {
            Ok(event) => AnswerState::new(&expected).judge(&event),
            Err(why) => (Err(why), AnswerInfo::default()),
        }
    }
}
