//! Gemini's `generateContent`, of Google and of Vertex AI.

mod chunk;
mod event;
mod render;
#[cfg(test)]
mod tests;

pub(crate) use event::{read, read_whole};
pub(crate) use render::render;
