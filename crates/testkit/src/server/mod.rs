//! A [`Server`] puts a [`Provider`](crate::Provider) on a loopback socket, in HTTP/1.1.
//!
//! Use it to test connections that are refused, reset, closed early or reused. The server sends the answers of its provider,
//! and the provider counts the attempts.
//!
//! # Defaults
//!
//! A free port of 127.0.0.1. Connections are reused. Streams are sent in chunks. A request has at most 64 KiB of head and
//! 16 MiB of body; a larger one is answered 431 or 413. At most 4096 connections are open.
//!
//! # Faults of connections
//!
//! [`Server::kill_idle`] ends the connections that are idle now, in one of three ways ([`IdleFault`]).
//! [`Server::close_at_request`] closes each connection at its n-th request, in place of an answer.
//! [`Server::close_after_answers`] closes each connection after each answer. New connections are not affected.
//!
//! # Example
//!
//! ```
//! use evenkeel_testkit::{Fault, Provider, Reply, Server};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
//! let provider = Provider::new("primary").always(Reply::answer().with(Fault::Cut { words: 40 }));
//! let server = Server::start(provider.clone()).await?;
//! let url = format!("{}/v1/chat/completions", server.url());
//! // … call the URL; then
//! assert_eq!(provider.count(), 0);
//!
//! // The listener closes; it opens again on the same port.
//! provider.set(Reply::refused());
//! server.settle().await;
//! # Ok(()) }
//! ```
//!
//! # Pitfalls
//!
//! Do not use it with a paused clock. A refused connection does not reach the server, so it is not counted: a client counts it
//! with [`note_refused`](crate::Provider::note_refused). A refused reply stays the next reply until then, or until another reply
//! is [`set`](crate::Provider::set).

mod connection;
mod idle;
mod listen;
mod request;

pub use idle::IdleFault;
pub use listen::Server;
