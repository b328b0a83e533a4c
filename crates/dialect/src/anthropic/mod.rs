//! Anthropic messages.

mod follow;
mod message;
mod render;
#[cfg(test)]
mod tests;

pub(crate) use follow::{Follower, check};
pub(crate) use render::render;
