//! Ollama, asked to chat or to go on from a prompt.

mod event;
mod line;
mod render;
#[cfg(test)]
mod tests;

pub(crate) use event::{read, read_whole};
pub(crate) use render::render;
