//! Credentials that are fetched or made for an attempt: the state behind [`credentials`](crate::credentials).
//!
//! `source` has the traits of the user, `value` what they return; `policy` and `settings` are the settings; `state` decides when
//! a token is used and fetched, `cache` fetches it, `signing` signs; `attempt` is what one attempt holds.

mod attempt;
mod cache;
mod failure;
mod policy;
mod settings;
mod signing;
mod source;
mod state;
#[cfg(test)]
mod tests;
mod user_call;
mod value;

pub(crate) use attempt::{AttemptCredentials, Used};
pub(crate) use failure::CredentialError;
pub use policy::CredentialPolicy;
pub use source::{CredentialSource, CredentialsFuture, RequestSigner, SigningRequest};
pub(crate) use state::Refusal;
pub use value::Credentials;
