//! The settings of a client, made of the tables of a configuration.

mod answers;
mod breaker;
mod fallbacks;
mod locate;
mod outcomes;
mod profile;
mod settings;
mod targets;
mod traffic;

pub use fallbacks::{FallbackKind, NamedFallback, NamedTarget};
pub use settings::{ServerKeys, Settings};

/// A policy with that value, if there is one.
fn with<P, T>(policy: P, value: Option<T>, set: impl FnOnce(P, T) -> P) -> P {
    match value {
        Some(value) => set(policy, value),
        None => policy,
    }
}
