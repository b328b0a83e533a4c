//! What an attempt came to.

mod body;
mod head;
mod outcome;
mod verdict;

pub(crate) use body::{classify_response, in_stream};
pub use outcome::{Health, Outcome, Phase, Rejection};
pub(crate) use verdict::judge;
pub use verdict::{Code, Verdict};
