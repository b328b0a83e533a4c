//! Gemini's `generateContent`, at Google's and at Vertex AI.

mod chunk;
mod follow;
mod render;
#[cfg(test)]
mod tests;

pub(crate) use follow::{Follower, check};
pub(crate) use render::render;
