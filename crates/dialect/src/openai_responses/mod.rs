//! OpenAI responses.

mod event;
mod item;
mod render;
mod response;
#[cfg(test)]
mod tests;

pub(crate) use event::{read, read_whole};
pub(crate) use render::render;
