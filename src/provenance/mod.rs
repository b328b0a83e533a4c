//! Who made what: a bounded memory of the providers whose reasoning and stored answers a conversation may hold.
//!
//! Answers that are not from a call's own first target leave their marks here, and requests are compared with them. A mark is a
//! hash of a signature, of an id, or of unsigned reasoning: no text is kept.

mod foreign;
mod maker;
mod memory;

pub use foreign::ForeignReasoning;
pub(crate) use maker::Maker;
pub use memory::Provenance;
