//! Fallbacks: the layer alone, the attempts that a call makes below its own target, edits, and waits for recovery.

mod attempts;
mod edits;
mod layer;
mod recovery;
