//! One call: from the request of the caller to its response.
//!
//! [`admit`] asks who may use the gateway. [`pass`] parses the `evenkeel-*` headers and turns what comes back into the response; between them [`prepare`] reads or streams
//! the body and sends the request through an evenkeel client. What fails is an error in the caller's dialect.
//!
//! # What a caller can set
//!
//! No `evenkeel-*` header widens what the operator has set:
//!
//! | header | what it can do | its bound |
//! |---|---|---|
//! | `evenkeel-deadline-ms` | end a call sooner | a longer one than `limits.deadline` counts as that one ([`bounds`]) |
//! | `evenkeel-fallbacks` | have models of the first target tried, as the body of a request can | eight; `limits.retries`, `retry.resend_bytes` and the budgets hold for all of them together |
//! | `evenkeel-priority` | go behind interactive calls | `interactive` is what a call is without it |
//! | `evenkeel-commit` | have a stream held back until it is complete | `buffer.collect` bytes of it |
//! | `evenkeel-mid-stream-failure` | have a broken stream continued, which costs another attempt | the targets that have a `prefill`, within the budgets |
//! | `evenkeel-tenant` | divide the caller's own stored answers | those of other callers stay apart: the credential is in the key |
//! | `evenkeel-affinity` | choose one of equal targets | its fair share (`bounded_load_factor`) |
//! | `evenkeel-dialect` | have a path of its own read in a dialect | nothing else is sent for it |

mod admit;
mod body_budget;
mod bounds;
mod cut;
mod errors;
mod headers;
mod hops;
mod long_work;
mod pass;
mod prepare;
mod refusal;
mod upload;

pub(crate) use self::{
    bounds::CallBounds,
    hops::Via,
    pass::router,
    refusal::{Refusal, dialect_of_caller},
    upload::Upload,
};
