//! The values of a configuration: each is parsed and checked by itself, so that an error names its key.

mod access;
mod choice;
mod choices;
mod on_off;
mod text;
mod texts;
mod time;
mod whole;

pub(super) use access::{HostPattern, PathPattern, TokenHash, WebOrigin};
pub(super) use choice::{Choice, One};
pub use choices::ProfileName;
pub(super) use choices::{Continuation, Meaning};
pub(super) use on_off::{OrOff, Toggle};
pub(super) use text::{Parsed, shown};
pub(super) use texts::{BaseUrl, ErrorStatus, Filled, Name, Variable, origin_of};
pub(super) use time::Time;
pub(super) use whole::Whole;
