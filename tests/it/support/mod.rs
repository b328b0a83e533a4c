//! Code shared by several files of these tests. A helper for one file stays in that file.
//!
//! | file | content |
//! |---|---|
//! | `bodies` | [`Answer`]: a response that was read to its end; [`read`], [`text`], [`words`]; bodies from a list of [`BodyStep`]s or a channel |
//! | `chunks` | chunks of chat completions as their bytes |
//! | `clients` | a [`Client`](evenkeel::Client) over providers in this process, one [`call`], the second target, the states of its breakers |
//! | `events` | [`EventLog`]: the events of a client or a layer, with their times; [`event_name`]; `tracing` switched on for all threads |
//! | `latency` | [`times_to_first_content`] of calls at a fixed rate, [`percentile_99`] |
//! | `properties` | [`check_property`] on the same cases in every run; strategies for replies and calls |
//! | `requests` | chat requests to the primary, other requests, a value in the extensions |
//! | `services` | services below a layer: one that records its requests, one that is never ready, one that has to be ready |
//! | `sockets` | for the real clock: a `reqwest` transport, evenkeel's error inside another, [`wait_until`] |
//! | `stage` | [`Stage`]: a primary, a secondary and a client over both |
//! | `time` | [`secs`], [`ms`], [`in_virtual_time`] |
//!
//! The providers are those of the testkit.

mod bodies;
mod chunks;
mod clients;
mod events;
mod latency;
mod properties;
mod requests;
mod services;
#[cfg(feature = "reqwest")]
mod sockets;
mod stage;
mod time;

pub(crate) use bodies::{Answer, BodyStep, body_of, channel_body, read, text, words};
pub(crate) use chunks::{DONE, PING, STOP, USAGE, WORD};
pub(crate) use clients::{
    all_closed, assert_no_failure, call, committing, no_breaker, over, pair, secondary, state_of,
    without_retries,
};
pub(crate) use events::{EventLog, enable_all_tracing};
pub(crate) use latency::{Calls, evenly_spread_replies, percentile_99, times_to_first_content};
pub(crate) use properties::{BUSY, Call, any_call, any_reply, check_property, is_whole_or_failed};
pub(crate) use requests::{
    PRIMARY, chat, post, request_to, with_body, with_deadline, with_extension,
};
pub(crate) use services::{NeverReady, RequestLog, StrictReadiness, host};
#[cfg(feature = "reqwest")]
pub(crate) use sockets::{own_error, read_reqwest, transport, wait_until};
pub(crate) use stage::Stage;
pub(crate) use time::{in_virtual_time, ms, secs};
