//! OpenAI chat completions, of OpenAI and of all compatible servers.

mod chunk;
mod event;
mod fast_path;
mod render;
#[cfg(test)]
mod tests;

pub(crate) use event::{read, read_whole};
pub(crate) use fast_path::ChunkTemplate;
pub(crate) use render::render;
