//! Plays an incident against any client, and keeps the figures.
//!
//! A client is any Tower service from [`Request`](evenkeel::Request) to a response with a body of bytes: a plain transport
//! ([`tower::service_fn`] over reqwest), a loop of retries, a stack of layers. All clients of a drill get the same calls at
//! the same times; each plays on a [`Stage`] of its own, so that the load of one does not touch another.
//!
//! # Defaults
//!
//! Seed 0, 60 calls a minute at random (Poisson), full length, streamed, an answer due within 30 s and given up after
//! 120 s. Calls bring no tool; where the [incident](crate::Incident::tools) is about tools, every second call brings them.
//!
//! # Example
//!
//! ```
//! use evenkeel_testkit::{Scenario, Incident};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(async {
//! let outage = r#"{"name": "short", "phases_min": [
//!     {"from": 0, "to": 1, "provider": "healthy"},
//!     {"from": 1, "to": 2, "provider": "down"},
//!     {"from": 2, "to": 3, "provider": "healthy"}]}"#;
//! let drill = Scenario::new(Incident::parse(outage).unwrap()).seed(1);
//! let stage = drill.stage();
//! // A client without any care: the primary itself.
//! let figures = drill.play("plain", &stage, stage.primary().clone()).await;
//! assert!(figures.error + figures.hung > 30);
//! assert_eq!(figures.attempts_primary, figures.calls);
//! # });
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! Each request has its number in the header `x-drill-call`, by which a provider tells whose attempt it saw.
//!
//! On sockets, put the stage's providers on [`Server`](crate::Server)s, and the stage [`at`](Stage::at) the URL of
//! the primary's. A connection that is refused reaches no server: the client has to
//! [note](crate::Provider::note_refused) it.
//!
//! # What the figures mean
//!
//! See [`Figures`]. All times are in the time of the incident, whatever the scale.
//!
//! # Pitfalls
//!
//! A drill is repeatable in virtual time only: a current-thread runtime whose clock is paused from its start.

mod answer;
mod arrivals;
mod figures;
mod play;
mod policy;
mod series;
mod stage;
mod tally;

pub use answer::Kind;
pub use figures::{Figures, Report, ToolFigures};
pub use policy::{Arrivals, Progress, Scenario};
pub use series::{Point, Series};
pub use stage::Stage;
