//! What a call may expect before it is made.

use std::time::Duration;

/// What a call may expect of a route, or of the whole ladder, before it is made: for a bot that says "busy" before
/// somebody has typed, and for a scheduler that starts no work that cannot be done.
///
/// It is read from what the breakers, the limits and the equal targets of a fallback know by now. Asking changes nothing: it
/// takes no probe, makes no breaker, and holds no place in a queue. What nobody has used yet is [`Clear`](Self::Clear); and
/// what is clear now may be out a moment later, so a call has to be ready for that as ever.
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
    /// Some calls are sent, or all after a wait; or the fallback that was put first is out and another takes its calls.
    #[non_exhaustive]
    Degraded {
        /// The share of the calls that is let through to where they are meant for, from 0 to 1. It is 0 where only a
        /// breaker's probes are, or where only fallbacks below take calls.
        share: f64,
        /// About how long a call waits for its turn.
        wait: Duration,
    },
    /// No call would be sent: the breaker is open, the provider has asked to be left alone, or the wait is longer than a
    /// call has time.
    #[non_exhaustive]
    Unavailable {
        /// In how long it is worth coming back; `None` where nobody knows, as for a breaker that was opened by hand.
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

    /// Where it is out: in how long it is worth coming back, if that is known.
    pub fn back_in(self) -> Option<Duration> {
        match self {
            Self::Unavailable { back_in } => back_in,
            Self::Clear | Self::Degraded { .. } => None,
        }
    }

    /// Only probes, or only others, are asked.
    pub(crate) const PROBE_ONLY: Self = Self::Degraded { share: 0.0, wait: Duration::ZERO };

    /// Where both have to let a call through.
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

    /// Where either may take a call.
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
