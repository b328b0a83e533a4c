//! Who calls: one list of headers and query keys for routes, cache and coalescing, and one of what goes to another origin.
//!
//! Two questions are asked of a request, and both are answered from one [`IdentityPolicy`].
//!
//! | | by what | what it decides |
//! |---|---|---|
//! | who pays? | the credential, the organisation, the project: in a header or in the query | the [route](crate::context::Route): breaker, budget and limit |
//! | for whom is the answer? | all of that, and every header that speaks of a person or an account | the [`Key`](crate::cache::Key): stored answers, and calls that share an attempt |
//!
//! Use it where your requests say who calls in a header of your own:
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
//! A route would learn nothing if each call had one of its own. So it is made of what stays:
//!
//! - of an AWS signature the access key, the region and the service, not the day, the headers or the signature
//! - of a JSON web token the claims that name somebody (`iss`, `sub`, `aud`, `azp`, `client_id`, `oid` and the like), not
//!   `exp`, `iat` or `jti`
//! - of a header that you [name](IdentityPolicy::named_by) its value, in place of all credentials
//!
//! The fingerprint of such a route begins with `~`. A rejected credential does not close it: it says nothing of the next one.
//! The cache takes credentials whole, since a stored answer is given without a provider that checks the signature.
//!
//! # To another origin
//!
//! A target at another scheme, host or port is sent the headers and query keys that are known to be for every provider, and
//! its own. Everything else stays: a header with a name that nobody has heard of may be a secret. What a provider of yours
//! needs is added by [`forward`](IdentityPolicy::forward) and [`forward_query`](IdentityPolicy::forward_query).
//!
//! # Bounds
//!
//! Breakers, limits, budgets and latencies are kept for the same 4 096 routes ([`Routes`](crate::context::Routes)): about 4 KiB for
//! a route, and up to 4 KiB more for its latencies, so that a client holds less than 40 MiB, however many credentials and models
//! callers bring. What is open, waits, is spent or under way is not forgotten for another. Routes beyond are known by what all
//! credentials of their model show together: see [many credentials](crate::breaker#many-credentials). At most 1 024 routes are
//! [forced](crate::breaker::Breakers::force_open) at a time.
//!
//! Each part of a [`Route`](crate::context::Route) has at most 145 bytes and no control characters, whatever model a caller asks
//! for. As credentials `*` and names that begin with `~` are reserved for what stands for many: a
//! [label](crate::fallback::Target::label) of that kind is rejected. A model `*` that a caller asks for is escaped.
//!
//! # Defaults
//!
//! The usual names: see [`IdentityPolicy`].
//!
//! # Pitfalls
//!
//! - A caller who can send another's [`named_by`](IdentityPolicy::named_by) header has the other's routes: its breaker, budget
//!   and limits. Set the header where callers cannot, and take out what they send.
//! - A header that tells callers apart, and whose name does not speak of a person or an account, is to be named by
//!   [`user`](IdentityPolicy::user).
//! - What a body says of its caller (`user`, `metadata`) is not read: it is for the provider. Callers who share a credential and
//!   differ in the body alone share stored answers, unless a [`Tenant`](crate::cache::Tenant) tells them apart.

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
