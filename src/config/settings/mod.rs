//! The settings of a client, made of the tables of a configuration.

mod access;
mod admin;
mod answers;
mod breaker;
#[cfg(feature = "chaos")]
mod chaos;
#[cfg(not(feature = "chaos"))]
#[path = "no_chaos.rs"]
mod chaos;
#[cfg(feature = "chaos")]
mod chaos_fault;
mod checked;
mod edges;
mod fallbacks;
mod key_file;
mod locate;
mod outcomes;
mod profile;
mod server;
mod targets;
mod traffic;

pub use access::{AccessKeys, CallerKeys, TlsKeys, TokenDigest, TokenSource};
pub use admin::{AdminKeys, AdminToken};
pub use checked::Settings;
pub use edges::EdgeKeys;
pub use fallbacks::{FallbackKind, NamedFallback};
pub use server::ServerKeys;
pub use targets::NamedTarget;

/// A policy with that value, if there is one.
fn with<P, T>(policy: P, value: Option<T>, set: impl FnOnce(P, T) -> P) -> P {
    match value {
        Some(value) => set(policy, value),
        None => policy,
    }
}
