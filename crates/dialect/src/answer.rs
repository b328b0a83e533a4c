//! Judges an answer that was not streamed, in any dialect.

use crate::{
    Dialect, Expected, Usage,
    answer_state::AnswerState,
    outcome::{Outcome, Verdict},
    reader::EventReader,
};

// === impl Dialect ===

impl Dialect {
    /// Reads an answer that was not streamed: its outcome, which is [`Outcome::Success`] or [`Outcome::Blocked`], or the verdict why
    /// it is no answer (empty, malformed, cut, an error inside a 200); and what it cost, where the answer counts that.
    pub fn check(
        self,
        expected: impl Into<Expected>,
        body: &[u8],
    ) -> (Result<Outcome, Verdict>, Option<Usage>) {
        let expected = expected.into();
        match EventReader::new(self, expected.codes()).read_whole(body) {
            Ok(event) => AnswerState::new(&expected).judge(&event),
            Err(why) => (Err(why), None),
        }
    }
}
