//! The gateway over real sockets and the real clock, and what it reads.

mod config;
mod connections;
mod ends;
mod errors;
mod failures;
mod features;
mod identity;
mod pass;
mod sdks;
mod stage;
mod streams;
