//! Fallbacks: the layer alone, the attempts below a call's own target, edits, and waits for recovery.

mod attempts;
mod edits;
mod layer;
mod recovery;
