//! A provider on a loopback socket: what [`Provider`](crate::Provider) does in process, in real HTTP/1.1.
//!
//! Use it to test what only a socket has: connections that are refused, reset, cut, kept alive. The server acts out
//! whatever its provider answers, and counts in its provider.
//!
//! # Defaults
//!
//! Any free port of 127.0.0.1; connections are kept alive; streams come in chunks; a request has at most 64 KiB of head
//! and 16 MiB of body, else it is answered 431 or 413; at most 4096 connections.
//!
//! # Connections that die
//!
//! A client keeps its connections, and a provider need not: [`Server::kill_kept`] ends those that are idle now, in one of
//! three ways ([`KeptFault`]); [`Server::close_at_request`] closes each connection at its n-th request in place of an
//! answer; [`Server::close_after_answers`] closes each after every answer. New connections are served as before.
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
//! // The listener really closes, and opens again on the same port.
//! provider.set(Reply::refused());
//! server.settle().await;
//! # Ok(()) }
//! ```
//!
//! # Pitfalls
//!
//! Never under a paused clock. A connection that was refused reaches nobody, so it is not counted: a client that knows of
//! it can say so with [`note_refused`](crate::Provider::note_refused). A planned refusal stands until then, or
//! until something else is [`set`](crate::Provider::set).

mod connection;
mod kept;
mod listen;
mod request;

pub use kept::KeptFault;
pub use listen::Server;
