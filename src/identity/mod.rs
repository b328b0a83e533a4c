//! Identity of callers: one list of headers and query keys for routes, cache and coalescing, and one of those forwarded to
//! another origin.
//!
//! An [`IdentityPolicy`] answers two questions about a request.
//!
//! | question | read from | used for |
//! |---|---|---|
//! | who is billed? | the credential, the organisation, the project: in a header or in the query | the [route](crate::context::Route): breaker, budget and limit |
//! | who is the answer for? | all of these, and every header that names a person or an account | the [`Key`](crate::cache::Key): stored answers, and calls that share an attempt |
//!
//! Use it if your requests identify the caller in a custom header:
//!
//! ```
//! use evenkeel::{Client, identity::IdentityPolicy};
//! use evenkeel_testkit::Provider;
//! use http::HeaderName;
//!
//! let identity = IdentityPolicy::new()
//!     .user(HeaderName::from_static("x-seat"))
//!     .forward(HeaderName::from_static("x-experiment"));
//! let client = Client::builder().identity(identity).build_with(Provider::new("p"))?;
//! # Ok::<(), evenkeel::ConfigError>(())
//! ```
//!
//! # Credentials that change with each call
//!
//! If each call had a route of its own, a breaker would never learn anything. So the route uses the stable part of a credential:
//!
//! - of an AWS signature the access key, the region and the service, not the day, the headers or the signature
//! - of a JSON web token the claims that name an identity (`iss`, `sub`, `aud`, `azp`, `client_id`, `oid` and the like), not
//!   `exp`, `iat` or `jti`
//! - the value of a header that you [name](IdentityPolicy::named_by), in place of all credentials
//!
//! The fingerprint of such a route begins with `~`. A rejected credential does not close it, since the next one may be valid. The
//! cache uses the whole credential, since no provider checks the signature before a stored answer is served.
//!
//! # To another origin
//!
//! A target at another scheme, host or port gets its own headers and query keys, and those that are known to be meant for every
//! provider. Everything else is removed: an unknown header may be a secret. Add what your provider needs with
//! [`forward`](IdentityPolicy::forward) and [`forward_query`](IdentityPolicy::forward_query).
//!
//! # Bounds
//!
//! Breakers, limits, budgets and latencies are kept for the same 4 096 routes ([`Routes`](crate::context::Routes)): about 4 KiB
//! for a route, and up to 4 KiB more for its latencies, so that a client holds less than 40 MiB, however many credentials and
//! models callers bring. A route that is open, has waiting calls, a spent budget or calls under way is not evicted for another.
//! Further routes share the state of all credentials of their model: see [many credentials](crate::breaker#many-credentials). At
//! most 1 024 routes are [forced](crate::breaker::Breakers::force_open) at a time.
//!
//! Each part of a [`Route`](crate::context::Route) has at most 145 bytes and no control characters, whatever model a caller
//! requests. As credentials, `*` and names that begin with `~` are reserved for groups of credentials: such a
//! [label](crate::fallback::Target::label) is rejected. A model `*` in a request is escaped.
//!
//! # Defaults
//!
//! The default names: see [`IdentityPolicy`].
//!
//! # Pitfalls
//!
//! - A caller who can send another's [`named_by`](IdentityPolicy::named_by) header uses the other's routes: its breaker, budget
//!   and limits. Set the header where callers cannot, and remove what they send.
//! - A header that distinguishes callers, but whose name does not suggest a person or an account, must be set with
//!   [`user`](IdentityPolicy::user).
//! - Fields of the body that name the caller (`user`, `metadata`) are not read: they are for the provider. Callers who share a
//!   credential and differ in the body alone share stored answers, unless a [`Tenant`](crate::cache::Tenant) separates them.

mod fingerprint;
mod names;
mod policy;
mod query;
mod service;
mod stable;

pub(crate) use fingerprint::Fingerprint;
pub use policy::IdentityPolicy;
pub(crate) use query::Pair;
pub use service::{Identity, IdentityLayer};
