//! The expected availability of a route or a request, before a call is made.

use std::time::Duration;

/// What a call can expect from a route, or from all its fallbacks, before it is made: for a bot that shows "busy" before the user
/// types, or a scheduler that starts only work that can be done.
///
/// It is read from the current state of breakers, limits and equal targets. Reading it changes nothing: it takes no probe,
/// creates no breaker, and holds no place in a queue. A route without calls so far is [`Clear`](Self::Clear). A clear route may
/// become unavailable a moment later, so a call still has to handle failure.
///
/// ```
/// use std::time::Duration;
///
/// use evenkeel::{Client, Availability, Request};
/// # use evenkeel_testkit::Provider;
///
/// # async fn run(request: Request) -> Result<(), Box<dyn std::error::Error>> {
/// # let client = Client::builder().build_with(Provider::new("p"))?;
/// match client.availability_of(&request) {
///     Availability::Unavailable { back_in: Some(back), .. } => println!("We are back in about {} s.", back.as_secs()),
///     Availability::Unavailable { .. } => println!("We are away. Please write to us."),
///     Availability::Degraded { wait, .. } if wait > Duration::from_secs(5) => println!("We are busy: a moment, please."),
///     _ => drop(client.send(request).await?),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Availability {
    /// A call would be sent at once, as far as is known: the breaker is closed, and there is room.
    Clear,
    /// Some calls are sent, or all after a wait; or the first fallback is unavailable and another takes its calls.
    #[non_exhaustive]
    Degraded {
        /// The share of calls that is let through to their own target, from 0 to 1. It is 0 if only a breaker's probes are let
        /// through, or only fallbacks below take calls.
        share: f64,
        /// The expected wait of a call.
        wait: Duration,
    },
    /// No call would be sent: the breaker is open, the provider has asked for a pause, or the wait is longer than the call's
    /// time.
    #[non_exhaustive]
    Unavailable {
        /// The time until it may be available again; `None` if unknown, as for a breaker that was forced open.
        back_in: Option<Duration>,
    },
}

// === impl Availability ===

impl Availability {
    /// Whether a call would be sent at once.
    pub fn is_clear(self) -> bool {
        matches!(self, Self::Clear)
    }

    /// Whether no call would be sent.
    pub fn is_unavailable(self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// The time until it may be available again, if it is unavailable and that is known.
    pub fn back_in(self) -> Option<Duration> {
        match self {
            Self::Unavailable { back_in } => back_in,
            Self::Clear | Self::Degraded { .. } => None,
        }
    }

    /// Only probes, or only calls to other targets, are sent.
    pub(crate) const PROBE_ONLY: Self = Self::Degraded { share: 0.0, wait: Duration::ZERO };

    /// The availability if both have to let a call through.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unavailable { back_in: one }, Self::Unavailable { back_in: two }) => {
                Self::Unavailable { back_in: one.zip(two).map(|(one, two)| one.max(two)) }
            }
            (Self::Degraded { share: one, wait: a }, Self::Degraded { share: two, wait: b }) => {
                Self::Degraded { share: one.min(two), wait: a.max(b) }
            }
            (one, two) if one.rank() >= two.rank() => one,
            (_, two) => two,
        }
    }

    /// The availability if either may take a call.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unavailable { back_in: one }, Self::Unavailable { back_in: two }) => {
                Self::Unavailable { back_in: one.into_iter().chain(two).min() }
            }
            (Self::Degraded { share: one, wait: a }, Self::Degraded { share: two, wait: b }) => {
                Self::Degraded { share: one.max(two), wait: a.min(b) }
            }
            (one, two) if one.rank() <= two.rank() => one,
            (_, two) => two,
        }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Clear => 0,
            Self::Degraded { .. } => 1,
            Self::Unavailable { .. } => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn out(secs: Option<u64>) -> Availability {
        match secs {
            Some(secs) => Availability::Unavailable { back_in: Some(Duration::from_secs(secs)) },
            None => Availability::Unavailable { back_in: None },
        }
    }

    fn degraded(share: f64, secs: u64) -> Availability {
        Availability::Degraded { share, wait: Duration::from_secs(secs) }
    }

    #[test]
    fn both_have_to_let_a_call_through_so_the_worse_counts() {
        assert_eq!(Availability::Clear.and(degraded(0.1, 2)), degraded(0.1, 2));
        assert_eq!(degraded(0.1, 2).and(degraded(1.0, 7)), degraded(0.1, 7));
        assert_eq!(out(Some(5)).and(degraded(1.0, 7)), out(Some(5)));
        assert_eq!(out(Some(5)).and(out(Some(9))), out(Some(9)));
        assert_eq!(out(Some(5)).and(out(None)), out(None));
    }

    #[test]
    fn either_may_take_a_call_so_the_better_counts() {
        assert_eq!(Availability::Clear.or(out(None)), Availability::Clear);
        assert_eq!(degraded(0.1, 2).or(degraded(1.0, 7)), degraded(1.0, 2));
        assert_eq!(out(Some(5)).or(out(Some(9))), out(Some(5)));
        assert_eq!(out(None).or(out(Some(9))), out(Some(9)));
    }
}
