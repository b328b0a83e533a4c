//! One call: from the request of the caller to its response.
//!
//! [`admit`] asks who may use the gateway. [`pass`] parses the `evenkeel-*` headers, reads or streams the body, sends the request through an evenkeel client, and
//! turns what comes back into the response. What fails is an error in the caller's dialect.

mod admit;
mod errors;
mod headers;
mod pass;
mod refusal;
mod upload;

pub(crate) use self::{
    pass::router,
    refusal::{Refusal, dialect_of_caller},
    upload::Upload,
};
