//! Who may use the gateway: hosts, web pages, paths, callers with tokens.
//!
//! A listener on the loopback interface is no authentication: every web page that is open on the machine can send requests to it.
//! So [`Access`] decides about each request before anything else does.
//!
//! | question | asked | refusal |
//! |---|---|---|
//! | Does the path mean the same to every server? No dot segments, double slashes, backslashes, control characters or encoded slashes, however they are encoded. A slash in the name of a model (`/v1/models/vendor%2Fname`) may be encoded | a target has a key of its own, there is a `[[caller]]`, or `allow_paths` is set | 400 `bad_path` |
//! | Is `Host` a name of this gateway? Addresses and names of the loopback interface, names without a dot, `allow_hosts`, and any address if it listens beyond loopback. The port does not matter: a page that rebinds its name cannot choose the name | a target has a key of its own, or `allow_hosts` is set | 421 `misdirected_host` |
//! | Does the request come from another web page? `Origin` and `Sec-Fetch-Site` say so. `allow_origins` names exceptions: exactly these get CORS headers, and answers to their preflights | a target has a key of its own, or `allow_origins` is set | 403 `foreign_origin` |
//! | Which caller is it? A token in `evenkeel-token`, `authorization: Bearer`, `x-api-key`, `api-key`, `x-goog-api-key` or `?key=`. Everything that contains the token is removed from the request | there is a `[[caller]]` | 401 `unknown_caller` |
//! | Is it a path of an API that evenkeel knows, or one of `allow_paths`? | the first target has a key of its own, or `allow_paths` is set | 403 `path_not_allowed` |
//! | Is the caller within its limits? | it has some | 429 `caller_limit` |
//! | Is the model one of its own? | it has `models` | 403 `model_not_allowed` |
//!
//! `/healthz` and `/readyz` are asked the first three questions.
//!
//! Without a key of the operator's a request reaches the upstream with what its caller has sent, as without the gateway. So host,
//! origin and path are not limited there, unless the configuration says so.
//!
//! # A caller
//!
//! Its options bound those of its headers: it may request a shorter deadline, a lower priority and fallback models of its own, never
//! more. Its tenant keeps stored answers apart; `evenkeel-tenant` adds to it. Breakers and limits of a target with a key are facts
//! about that key, and shared by all callers.
//!
//! Tokens are kept and compared as SHA-256 digests, in constant time. A token file is read again every [`EVERY`],
//! and at once when an unknown token arrives, at most once a second.

mod admission;
mod caller;
mod caller_limits;
mod callers;
mod exposure;
mod glob;
mod hosts;
mod known_paths;
mod origins;
mod path_form;
mod refusal;
mod rereads;
mod tokens;

#[cfg(feature = "tls")]
pub(crate) use self::rereads::{EVERY, Rereads};
pub(crate) use self::{admission::Access, caller::Caller, exposure::Exposure, refusal::Refusal};
