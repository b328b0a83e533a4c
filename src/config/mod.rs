//! Configuration as data: profile, targets, fallbacks and limits from TOML, YAML, JSON or any other format of serde.
//!
//! Use it where the settings of a client are not known when the program is built: a file beside it, a secret store, a database.
//! Library and gateway share one format, so a file moves between them unchanged. API keys are never in it: `key_env` names the
//! variable of the environment that holds one.
//!
//! ```no_run
//! use evenkeel::config::Config;
//!
//! let config: Config = toml::from_str(r#"
//!     [[target]]
//!     name = "openai"
//!     base_url = "https://api.openai.com/v1"
//!     key_env = "OPENAI_API_KEY"
//!
//!     [[canned]]
//!     name = "sorry"
//!     text = "We are very busy. A colleague will write to you today."
//!
//!     [limits]
//!     deadline = "8s"
//! "#)?;
//! let builder = config.builder(|name| std::env::var(name).ok())?;
//! // What a file cannot say can be set on the builder, before `build()`.
//! # let _ = builder; Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! From JSON it is `serde_json::from_str(text)?`; from YAML the same function of a YAML crate. To know the key that an error is
//! about, read a tree first: `Config::from_value(toml::from_str(text)?)` returns a [`ConfigError`](crate::ConfigError) with the
//! path of the key ([`read_tree`] is for formats whose own tree would lose a key). [`Settings`] has the parts one by one, for
//! programs that use more than one profile.
//!
//! # Values
//!
//! * A duration is a text with its unit: `"30s"`, `"250ms"`, `"1m 30s"`, `"1.5h"`, `"15min"`, at most 31 days. `m` and `min` are
//!   minutes. A bare number is a number of seconds: `2`, `0.25`. A number in quotes needs its unit.
//! * What can be turned off takes `"off"`.
//! * Sizes are bytes, shares are numbers from 0 to 1.
//! * `null`, such as a YAML table without a key, is the same as no key.
//!
//! # Where a call goes first
//!
//! To the first of the `fallbacks`, if that is a target, whatever the address of the request. If `upstream` is set, or `fallbacks`
//! begins with `"primary"`, to the address of the request, with the key that its caller has set: `fallbacks = ["primary",
//! "mistral"]`. A file without targets leaves the address alone. `upstream` is the address of the gateway's requests; the library
//! does not send anything there by itself.
//!
//! # Errors
//!
//! One line, with the path of the key: `limits.deadline is "30" without a unit; allowed is a duration with its unit, such as "30s"`.
//! An unknown key is refused with the nearest known name: ``target[1].modle is an unknown field; did you mean `model`?``. A value
//! that may be a key is not shown. Values are checked alone when the file is read, and together by [`Config::builder`].
//!
//! # Defaults
//!
//! Those of the [`Profile`](crate::Profile). A limit that is not set gives way to those that are: `deadline = "8s"` alone is enough.
//!
//! # Every key
//!
#![doc = include_str!("keys.md")]
//!
//! A [JSON Schema](Config::SCHEMA) of it is in the crate, as `src/config/schema.json`: editors complete and check a file with it.
//!
//! # Example
//!
//! Every key that the library uses, most with a value near its default:
//!
//! ```toml
#![doc = include_str!("example.toml")]
//! ```
//!
//! # Events
//!
//! None.
//!
//! # Pitfalls
//!
//! Formats differ in what they take for a text: a bare `1e3` or `0x10` is a number in YAML. Anchors and merge keys of YAML depend on
//! its reader. What is code stays code: schedules of retries, stores, listeners and canned replies from a closure.

mod read;
mod reading_error;
#[cfg(test)]
mod schema;
mod settings;
mod source;
mod tables;
mod tree;
mod values;

pub use read::Config;
pub use settings::{
    AdminKeys, AdminToken, FallbackKind, NamedFallback, NamedTarget, ServerKeys, Settings,
};
pub use tree::read_tree;
pub use values::ProfileName;
