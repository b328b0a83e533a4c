//! Gemini's `generateContent`, at Google's and at Vertex AI.

mod chunk;
mod follow;
mod place;
mod render;
#[cfg(test)]
mod tests;

pub(crate) use follow::{Follower, check};
pub(crate) use place::{Place, asks_for_events, endpoint, unstream, usual_path, with_model};
pub(crate) use render::render;
