//! The settings of a client, made of the tables of a configuration.

mod admin;
mod answers;
mod breaker;
mod checked;
mod fallbacks;
mod key_file;
mod locate;
mod outcomes;
mod profile;
mod server;
mod targets;
mod traffic;

pub use admin::{AdminKeys, AdminToken};
pub use checked::Settings;
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
