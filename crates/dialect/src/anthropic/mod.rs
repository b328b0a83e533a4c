//! Anthropic messages.

mod event;
mod message;
mod render;
#[cfg(test)]
mod tests;

pub(crate) use event::{read, read_whole};
pub(crate) use render::render;
