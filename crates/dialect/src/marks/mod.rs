//! Marks: hashes of what binds reasoning, or a stored answer, to the provider that made it.
//!
//! A signature of a thinking block, an encrypted reasoning item, the id of a stored response, and the text of unsigned reasoning
//! each have a [`Mark`]. [`MarkScanner`] finds the marks in an answer while it passes, and
//! [`RequestEditor::drop_reasoning`](crate::RequestEditor::drop_reasoning) compares them with those in the history of a request.
//! A mark is a hash: no text is kept.

mod mark;
mod scanner;
mod string;
#[cfg(test)]
mod tests;

pub use mark::Mark;
pub(crate) use mark::{MarkHasher, MarkKind};
pub use scanner::MarkScanner;
