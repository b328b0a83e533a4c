//! The operator's listener: a page, its API, metrics, health. Off by default.
//!
//! ```sh
//! evenkeel-gateway --upstream https://api.openai.com --admin 127.0.0.1:9090
//! ```
//!
//! `--admin ADDR:PORT` or `admin.listen` of the file switches it on. Standard output then has a second line,
//! `admin on http://127.0.0.1:9090`. It has connections of its own, at most 64, so that it answers while
//! the listener of the calls is full. It does not serve TLS.
//!
//! # Paths
//!
//! | | |
//! |---|---|
//! | `GET /` and the files of [`page`] | the page. It has no data, and needs no token |
//! | `GET /readyz` | 200 while calls are accepted; 503 before, and while the process drains. Needs no token |
//! | `GET /healthz` | the state of the routes, as at the listener of the calls |
//! | `GET /metrics` | the metrics of `evenkeel::telemetry::metrics` and of the process, as text for Prometheus |
//! | `GET /api/snapshot` | everything that the page shows, as JSON |
//! | `GET /api/events` | the same as server-sent events named `snapshot`: at once, then once a second while something changes, at least every 5 s; at most 16 readers |
//! | `POST /api/routes/ID/force-open` | the route refuses all calls until it is reset |
//! | `POST /api/routes/ID/force-closed` | the route lets all calls through, and counts none, until it is reset |
//! | `POST /api/routes/ID/reset` | closes the route, and forgets its failures, limits and spent budget |
//! | `POST /api/drain` | ends the process as SIGTERM does |
//! | `POST /api/rehearse` | asks every target of the file once, which is billed; at most once in 30 s |
//! | `POST /api/login` | `{"token": "…"}`: sets the cookie of the page |
//!
//! Nothing changes by GET. A POST answers 204 or JSON; an error is `{"error": "words"}`.
//!
//! # Who may use it
//!
//! A listener beyond the loopback interface is refused at the start without a token: `admin.token_env`, `admin.token_file`, or the
//! variable `EVENKEEL_ADMIN_TOKEN`. With a token all paths but those marked above need `authorization: Bearer TOKEN`, or the cookie,
//! which lasts 12 h at most and ends with the process. A wrong token is answered after a second.
//!
//! Without a token everybody on this machine may use it, but no web page: `host` has to be `localhost` or an IP address, so that a
//! name that is rebound to this address is refused; every POST needs the header `x-evenkeel-admin: 1`, which no page of another
//! origin can send; and no CORS header is ever sent.
//!
//! # Ready and healthy
//!
//! `/readyz` stays 200 in an outage of the providers. The fallbacks, stored answers and canned replies of this process are what
//! callers need then; an orchestrator that takes the process out of rotation, or restarts it, would remove them, and the state of
//! its breakers with them. `/healthz` is always 200, and lists the 100 routes of most interest.
//!
//! # What is kept
//!
//! The last 15 minutes as counts in steps of 10 s, and the last 100 calls with their attempts; see [`history`]. No content of a
//! request or an answer, and no credential: a route names a credential by its label or by a fingerprint. Without this listener
//! nothing is kept.

mod access;
mod actions;
mod events;
mod history;
mod listener;
mod metrics;
mod page;
mod paths;
mod process;
mod rehearse;
mod reply;
mod setup;
mod snapshot;
mod state;
mod unix_time;
mod watched;
mod write_timeout;

#[cfg(test)]
pub(crate) use self::page::is_file as is_page;
pub(crate) use self::{
    listener::AdminServer,
    setup::{AdminSetup, Observers},
    watched::{OpenConnections, Watched},
};
