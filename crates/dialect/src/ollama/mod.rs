//! Ollama: `/api/chat` and `/api/generate`.

mod event;
mod line;
mod render;
#[cfg(test)]
mod tests;

pub(crate) use event::{read, read_whole};
pub(crate) use render::render;
