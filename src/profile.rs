//! Every default in one place, with its reason.

use std::time::Duration;

use crate::{
    ConfigError, breaker::BreakerPolicy, classify::ClassifyPolicy, cold_start::COLD_START,
    hedge::HedgePolicy, limit::LimitPolicy, outcome::ErrorCodeTable, retry::RetryPolicy,
    stream::CommitPolicy, time::Limit, time::scale, timeout::TimeoutPolicy,
};

/// A consistent set of limits for a stack: for a person who waits (interactive), or for background work (pipeline).
///
/// | | interactive | pipeline | why |
/// |---|---|---|---|
/// | deadline | 30 s | 15 min | a person has left after half a minute; a batch can sit out most partial failures |
/// | deadline of a local model that may have to be loaded | 2 min | 15 min | Ollama and llama.cpp load a model for 10 to 60 s, and abort the load when the caller leaves |
/// | connect | 5 s | 5 s | a healthy host answers in milliseconds; three lost packets take 3 s |
/// | an unstreamed attempt | 20 s | 5 min | leaves time for a second target; long texts of reasoning models take minutes |
/// | first content of a stream | 20 s | 3 min | healthy answers begin within 1 to 3 s; a reasoning model is silent for many times that |
/// | idle between content | 15 s | 60 s | a healthy stream has several events a second |
/// | slow stream | none | none | the healthy number of events a minute depends on the provider |
/// | retries | 2, 250 ms to 4 s | 5, 1 s to 60 s | two fit into a third of the deadline |
/// | commit | first content | complete | a person reads along; a text that is stored has to be complete |
/// | a stream that fails while it is read | an error | an error | two models have two styles; [`MidStreamFailure`](crate::stream::MidStreamFailure) is your choice |
/// | all fallbacks unavailable | fails | waits for recovery | a person gets the error at once; a text can come later |
/// | hedge | off | off | every copy is billed |
/// | limits | none set | none set | only the provider knows and reports them; set them for a key with known limits |
///
/// The interactive defaults in an outage, at two calls a minute and at 5 000 a second:
///
/// | | 2 calls a minute | 5 000 calls a second |
/// |---|---|---|
/// | an unstreamed attempt, first content | a silent target costs each call 20 s, then the next target is tried; a single target has the whole deadline | the same; up to 100 000 calls wait until the first of them open the breaker |
/// | time for the targets below | a third of the deadline for all of them together | the same: it is a share of each call |
/// | retries | both are made: ten tokens in reserve and a fifth of a token for each call last for a bad minute, and then for one call in ten | the reserve is spent within milliseconds; extra load is a fifth of the first attempts |
/// | what may be billed twice | one repetition in each call | the same, and no more than the budget of the route |
/// | a breaker's probe | each call may be one; the targets below are tried concurrently when it is slow, so it costs its caller about half a second | one call at a time is one, all others go to the targets below |
/// | a second copy (off) | none for hours: it needs 20 answers of a route first, and 5 % of the calls are one in twenty | at most 250 a second |
/// | a canned reply | when no target answers in time | the same |
///
/// Setting a deadline alone is enough: timeouts of an attempt and of connecting, and the least time of a retry, that are not set
/// shrink with it.
///
/// The breaker's rules are the same for both: see [`BreakerPolicy`]. So are those of the limits: see [`LimitPolicy`].
#[derive(Clone, Debug)]
pub struct Profile {
    pub(crate) deadline: Duration,
    /// The deadline of a call whose model may have to be loaded.
    pub(crate) cold_start: Option<Limit>,
    pub(crate) connect: Limit,
    pub(crate) timeout: TimeoutPolicy,
    pub(crate) retry: RetryPolicy,
    pub(crate) breaker: BreakerPolicy,
    pub(crate) limit: LimitPolicy,
    pub(crate) classify: ClassifyPolicy,
    pub(crate) hedge: Option<HedgePolicy>,
    pub(crate) waits: bool,
}

// === impl Profile ===

impl Profile {
    /// For a person who waits: a bot, a search box, an editor.
    pub fn interactive() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            cold_start: Some(Limit::Default(COLD_START)),
            connect: Limit::Default(Duration::from_secs(5)),
            timeout: TimeoutPolicy::default(),
            retry: RetryPolicy::default(),
            breaker: BreakerPolicy::default(),
            limit: LimitPolicy::default(),
            classify: ClassifyPolicy::default(),
            hedge: None,
            waits: false,
        }
    }

    /// For work without a waiting person: a batch, a pipeline, a nightly job.
    pub fn pipeline() -> Self {
        let minute = Duration::from_secs(60);
        Self {
            deadline: 15 * minute,
            cold_start: Some(Limit::Default(COLD_START)),
            connect: Limit::Default(Duration::from_secs(5)),
            timeout: TimeoutPolicy::pipeline(),
            retry: RetryPolicy::default()
                .retries(5)
                .base(Duration::from_secs(1))
                .max_backoff(minute),
            breaker: BreakerPolicy::default(),
            limit: LimitPolicy::default(),
            classify: ClassifyPolicy::default().commit(CommitPolicy::Complete),
            hedge: None,
            waits: true,
        }
    }

    /// The time limit of a call, over all attempts, waits and fallbacks: to the commit point for a stream, to the whole answer
    /// otherwise. It applies to local models as well, unless [`cold_start`](Self::cold_start) is set.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self.cold_start = self.cold_start.filter(|limit| limit.is_set());
        self
    }

    /// The time limit of a call, and of its attempt, at a local model that may have to be loaded: see
    /// [`TimeoutPolicy::cold_start`]. It applies where it is longer than the others, to the call only if no other target could
    /// take it. `None`: the limits are those of any other call. Default: 2 min, as long as the deadline is not set.
    #[must_use]
    pub fn cold_start(mut self, limit: impl Into<Option<Duration>>) -> Self {
        let limit = limit.into();
        self.cold_start = limit.map(Limit::Set);
        self.timeout = self.timeout.cold_start(limit);
        self
    }

    /// The connect timeout, if evenkeel builds the transport.
    #[must_use]
    pub fn connect(mut self, connect: Duration) -> Self {
        self.connect = Limit::Set(connect);
        self
    }

    /// The timeouts of an attempt.
    #[must_use]
    pub fn timeout(mut self, timeout: TimeoutPolicy) -> Self {
        self.timeout = timeout;
        self
    }

    /// The retries on one route.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The breaker of each route.
    #[must_use]
    pub fn breaker(mut self, breaker: BreakerPolicy) -> Self {
        self.breaker = breaker;
        self
    }

    /// The limits of each route, and how calls wait for it.
    #[must_use]
    pub fn limit(mut self, limit: LimitPolicy) -> Self {
        self.limit = limit;
        self
    }

    /// What counts as an answer, and when it is handed on.
    #[must_use]
    pub fn classify(mut self, classify: ClassifyPolicy) -> Self {
        self.classify = classify;
        self
    }

    /// The meanings of the errors of your providers, in addition to the built-in ones. Default: those alone.
    #[must_use]
    pub fn error_codes(mut self, codes: ErrorCodeTable) -> Self {
        self.classify = self.classify.codes(codes);
        self
    }

    /// Sends a second copy of a slow call. Off by default, since every copy is billed.
    #[must_use]
    pub fn hedge(mut self, hedge: impl Into<Option<HedgePolicy>>) -> Self {
        self.hedge = hedge.into();
        self
    }

    /// Whether a call waits for recovery until its deadline when all fallbacks are unavailable
    /// ([`Fallback::wait_for_recovery`](crate::fallback::Fallback::wait_for_recovery)), unless its last fallback is a canned
    /// reply.
    #[must_use]
    pub fn wait_for_recovery(mut self, waits: bool) -> Self {
        self.waits = waits;
        self
    }

    /// Multiplies every duration by `by`: for example 0.1 for a demonstration or a test over real sockets. Shares and counts do
    /// not change. `build()` rejects a factor that is not above zero, as no duration may be zero.
    #[must_use]
    pub fn scaled(mut self, by: f64) -> Self {
        self.deadline = scale(self.deadline, by);
        self.cold_start = self.cold_start.map(|limit| limit.map(|limit| scale(limit, by)));
        self.connect = self.connect.map(|limit| scale(limit, by));
        self.timeout = self.timeout.scaled(by);
        self.retry = self.retry.scaled(by);
        self.breaker = self.breaker.scaled(by);
        self.limit = self.limit.scaled(by);
        self
    }

    /// The breaker's policy with the timeouts of the attempts below it.
    pub(crate) fn fitted_breaker(&self) -> BreakerPolicy {
        let limits = self.timeout.clone().within(self.deadline).answer_times();
        self.breaker.clone().attempt_limits(limits)
    }

    /// Validates every value, alone and together with the others.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let connect = self.connect.within(self.deadline).time();
        for (field, value) in [("profile.deadline", self.deadline), ("profile.connect", connect)] {
            if value.is_zero() {
                return Err(ConfigError::new(field, value, "longer than zero"));
            }
        }
        if connect > self.deadline {
            let allowed = format!("at most the deadline of {:?}", self.deadline);
            return Err(ConfigError::new("profile.connect", connect, allowed));
        }
        self.timeout.check(Some(self.deadline))?;
        self.retry.check(Some(self.deadline))?;
        let breaker = self.fitted_breaker();
        breaker.check()?;
        breaker.check_fitted()?;
        self.hedge.as_ref().map_or(Ok(()), HedgePolicy::check)?;
        self.limit.check()?;
        self.classify.check()
    }
}

impl Default for Profile {
    /// [`Profile::interactive`].
    fn default() -> Self {
        Self::interactive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_profiles_are_right_and_stay_so_when_scaled() {
        for profile in [Profile::interactive(), Profile::pipeline()] {
            for by in [0.01, 0.1, 1.0, 3.0] {
                assert_eq!(profile.clone().scaled(by).check(), Ok(()), "{by}");
            }
        }
    }

    #[test]
    fn a_scale_that_is_none_is_refused() {
        for by in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = Profile::interactive().scaled(by).check().unwrap_err();
            assert_eq!(error.field(), "profile.deadline", "{by}");
        }
    }
}
