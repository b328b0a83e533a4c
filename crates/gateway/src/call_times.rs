//! The time limits of calls, and the profile that is made of them.

use std::time::Duration;

use evenkeel::{
    Profile,
    breaker::{AnswerTimes, BreakerPolicy},
    classify::ClassifyPolicy,
    retry::RetryPolicy,
    stream::CommitPolicy,
    timeout::TimeoutPolicy,
};

use super::options::ProfileName;

/// The time limits of calls, in seconds.
pub(super) struct CallTimes {
    pub(super) deadline: f64,
    pub(super) connect: f64,
    pub(super) attempt: f64,
    pub(super) first_event: f64,
    pub(super) idle: f64,
    pub(super) set: ExplicitLimits,
}

/// The limits that the file sets. The others give way: those of an attempt if no other target can be tried, the deadline to a
/// local model that has to be loaded.
#[derive(Clone, Copy, Default)]
pub(super) struct ExplicitLimits {
    pub(super) deadline: bool,
    pub(super) attempt: bool,
    pub(super) first_event: bool,
}

// === impl CallTimes ===

impl CallTimes {
    /// The times of evenkeel's profiles.
    pub(super) fn of(name: ProfileName) -> Self {
        let set = ExplicitLimits::default();
        let (deadline, attempt, first_event, idle) = match name {
            ProfileName::Interactive => (30.0, 20.0, 20.0, 15.0),
            ProfileName::Pipeline => (900.0, 300.0, 180.0, 60.0),
        };
        Self { deadline, connect: 5.0, attempt, first_event, idle, set }
    }

    /// In the interactive profile, limits that are not set are left to evenkeel, whose defaults give way.
    fn timeout(&self, name: ProfileName) -> TimeoutPolicy {
        let mut timeout = TimeoutPolicy::default().idle(seconds(self.idle));
        if self.set.attempt || name == ProfileName::Pipeline {
            timeout = timeout.attempt(seconds(self.attempt));
        }
        if self.set.first_event || name == ProfileName::Pipeline {
            timeout = timeout.first_event(seconds(self.first_event));
        }
        timeout
    }

    pub(super) fn profile(&self, name: ProfileName, retries: Option<u32>) -> Profile {
        let timeout = self.timeout(name);
        let (profile, retry, usual) = match name {
            ProfileName::Interactive => (Profile::interactive(), RetryPolicy::default(), 2),
            ProfileName::Pipeline => {
                let retry = RetryPolicy::default()
                    .base(Duration::from_secs(1))
                    .max_backoff(Duration::from_secs(60));
                (Profile::pipeline(), retry, 5)
            }
        };
        let retry =
            retry.min_attempt_time(Duration::from_secs(1).min(seconds(self.deadline / 4.0)));
        // An attempt that takes 80 % of its limit is slow; a probe has the time of any attempt.
        let breaker = BreakerPolicy::default()
            .slow_after(AnswerTimes {
                first_event: seconds(self.first_event * 0.8),
                whole_answer: seconds(self.attempt * 0.8),
            })
            .probe_timeout(seconds(self.attempt.max(self.first_event)));
        let profile = match self.set.deadline {
            true => profile.deadline(seconds(self.deadline)),
            false => profile,
        };
        profile
            .breaker(breaker)
            .connect(seconds(self.connect))
            .timeout(timeout)
            .retry(retry.retries(retries.unwrap_or(usual)))
            .classify(ClassifyPolicy::default().commit(name.commit()))
    }
}

// === impl ProfileName ===

impl ProfileName {
    fn commit(self) -> CommitPolicy {
        match self {
            Self::Interactive => CommitPolicy::FirstContent,
            Self::Pipeline => CommitPolicy::Complete,
        }
    }
}

pub(super) fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}
