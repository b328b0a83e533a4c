//! The gateway over real sockets with the real clock, its command line and its file.

mod access;
mod access_callers;
#[cfg(feature = "tls")]
mod access_tls;
mod admin;
mod call_options;
mod check;
#[cfg(feature = "compression")]
mod coded;
mod config;
mod config_fuzz;
mod connections;
mod edges;
mod ends;
mod errors;
mod failures;
mod features;
mod hops;
mod identity;
mod key_file;
mod large;
mod manual;
mod openapi;
mod packaging;
mod pass;
mod probe;
mod reload;
mod schema;
mod sdks;
mod streams;
mod support;
