//! What happened in the last 15 minutes, in bounded memory: counts in steps of 10 s, and the last 100 calls.
//!
//! [`History`] is an observer of the events of all clients. It keeps 90 buckets of counts, each with a histogram of 32 counts
//! for the first content of streams, and the last 100 calls with the handles of their attempt logs, which have at most 64
//! attempts each. Nothing of a request or an answer is kept but the names of models.
//!
//! A call is counted when it is over, since a stream that is cut is no success before. Its first content is counted at the time of
//! that content.

mod answering;
mod bucket;
mod calls;
mod first_content;
mod observer;
mod series;

pub(super) use self::{
    answering::Answering,
    bucket::{EndedAttempt, EndedCall},
    calls::SeenCall,
    observer::History,
    series::{STEP, Series},
};
