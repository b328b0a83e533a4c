//! OpenAI responses.

mod follow;
mod render;
mod response;
#[cfg(test)]
mod tests;

pub(crate) use follow::{Follower, check};
pub(crate) use render::render;
