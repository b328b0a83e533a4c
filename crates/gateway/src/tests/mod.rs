//! The gateway over real sockets with the real clock, its command line and its file.

mod call_options;
mod check;
#[cfg(feature = "compression")]
mod coded;
mod config;
mod connections;
mod ends;
mod errors;
mod failures;
mod features;
mod identity;
mod key_file;
mod manual;
mod openapi;
mod packaging;
mod pass;
mod probe;
mod schema;
mod sdks;
mod streams;
mod support;
