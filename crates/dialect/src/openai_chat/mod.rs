//! OpenAI chat completions, as OpenAI and all the servers compatible with them speak it.

mod chunk;
mod follow;
mod plain;
mod render;
mod whole;

pub(crate) use follow::Follower;
pub(crate) use render::render;
pub(crate) use whole::check;
