//! Ollama, asked to chat or to go on from a prompt.

mod follow;
mod line;
mod render;
#[cfg(test)]
mod tests;

pub(crate) use follow::{Follower, check};
pub(crate) use render::render;
