//! Configures the answers of a provider.

use std::{ops::Range, time::Duration};

use tokio::time::Instant;

use crate::{
    incident::Schedule,
    provider::{
        Capacity, Provider, Strict,
        prefill::PrefillMode,
        reply_source::{CapacityLimit, ReplySource},
    },
    reply::Reply,
};

impl Provider {
    /// Answers the next attempts with these replies, in order.
    #[must_use]
    pub fn replies(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.change(|state| state.source.next.extend(replies))
    }

    /// Answers with this reply in a period since the provider was made, or since [`start_clock`](Self::start_clock).
    #[must_use]
    pub fn during(self, period: Range<Duration>, reply: Reply) -> Self {
        self.change(|state| state.source.periods.push((period, reply)))
    }

    /// Answers with this reply to attempts with the tool of that name: the tool is unavailable.
    #[must_use]
    pub fn when_tool(self, name: &str, reply: Reply) -> Self {
        self.change(|state| state.source.unavailable_tools.push((name.into(), reply)))
    }

    /// Answers with this reply to all other attempts.
    #[must_use]
    pub fn always(self, reply: Reply) -> Self {
        self.change(|state| state.source.default = reply)
    }

    /// Answers with this reply to attempts beyond the capacity.
    #[must_use]
    pub fn capacity(self, capacity: Capacity, over: Reply) -> Self {
        self.change(|state| state.source.limit = Some(CapacityLimit::new(capacity, over)))
    }

    /// Changes the capacity. The answer beyond it stays as configured, or is a 429 without a wait.
    pub fn limit_to(&self, capacity: Capacity) {
        self.clone().change(|state| {
            let over = state.source.limit.take().map(|limit| limit.over);
            let over = over.unwrap_or_else(|| Reply::rate_limited(None));
            state.source.limit = Some(CapacityLimit::new(capacity, over));
        });
    }

    /// Answers 401 to attempts without this key, as a bearer token or as the key itself.
    #[must_use]
    pub fn requires(self, key: &str) -> Self {
        self.change(|state| state.key = Some(key.into()))
    }

    /// Answers at every path. By default a path that no API has is answered by 404, unless the reply is a failure or a body of
    /// yours.
    #[must_use]
    pub fn any_path(self) -> Self {
        self.change(|state| state.any_path = true)
    }

    /// Rejects requests with what that provider does not take, whatever else is configured. It accepts everything by default.
    #[must_use]
    pub fn strict(self, strict: Strict) -> Self {
        self.change(|state| state.strict = Some(strict))
    }

    /// Answers by an incident, whatever else is configured.
    #[must_use]
    pub fn following(self, schedule: Schedule) -> Self {
        self.change(|state| state.source.schedule = Some(schedule))
    }

    /// Answers with this reply from now on. All else that was configured is dropped, except the capacity.
    pub fn set(&self, reply: Reply) {
        self.clone().change(|state| {
            let source = &mut state.source;
            let (origin, limit) = (source.origin, source.limit.take());
            *source = ReplySource { limit, default: reply, ..ReplySource::new(origin) };
        });
    }

    /// Starts the clock of the incident and the periods.
    pub fn start_clock(&self) {
        self.clone().change(|state| state.source.start(Instant::now()));
    }

    /// Continues a prefill that is the beginning of the answer: only the rest of the answer is sent. Without this, the answer
    /// to a request with a prefill is the whole answer.
    #[must_use]
    pub fn continues(self) -> Self {
        self.change(|state| state.prefill = PrefillMode::Continued)
    }

    /// Answers 400 to a request with a prefill, as models do that do not support it.
    #[must_use]
    pub fn rejects_prefill(self) -> Self {
        self.change(|state| state.prefill = PrefillMode::Rejected)
    }
}
