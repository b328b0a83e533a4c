//! The limits of one attempt: which one is next, and the error when it passes.

use std::{sync::Arc, time::Duration};

use http::HeaderValue;
use tokio::time::Instant;

use super::{TimeoutPolicy, line::Line, report::TimeoutReporter};
use crate::{
    Error, Request, Response,
    cold_start::{ColdStarts, ModelLoad},
    context::{AttemptContext, AttemptLog, CallContext, Deadline, Route},
    error::judge,
    outcome::{Outcome, Phase},
    stream::{
        FirstContentAt, IdleTimeout, MinThroughput, ProgressSignal, StreamDeadline, ThroughputMeter,
    },
    telemetry::{EventKind, EventSink},
    time::saturating_add,
};

/// The limits of one attempt.
pub(super) struct AttemptLimits {
    shared: Arc<Shared>,
    attempt_log: AttemptLog,
    deadline: Option<Deadline>,
    /// The least time left for which the attempt is started.
    min_attempt_time: Duration,
    line: Option<Line>,
    pulse: Option<ProgressSignal>,
    beats: u32,
    first: Option<Instant>,
    started: Instant,
    whole: Option<Instant>,
    /// The throughput below which a stream is slow, and its route.
    least: Option<(MinThroughput, Route)>,
    /// Whether no other target is tried after this one.
    last: bool,
    /// The state of a model that may have to be loaded.
    load: Option<ModelLoad>,
    /// The next limit, its length, its start, and when it passes.
    pub(super) phase: Phase,
    limit: Duration,
    since: Instant,
    pub(super) until: Instant,
}

/// The state that all attempts of one layer share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) policy: TimeoutPolicy,
    pub(super) events: EventSink,
    pub(super) cold_starts: ColdStarts,
}

// === impl Shared ===

impl Shared {
    /// The state of the model that the attempt is for, if its server may load models and the policy allows for that.
    fn load(&self, request: &mut Request, now: Instant) -> Option<ModelLoad> {
        self.policy.cold_start?;
        self.cold_starts.load(request, AttemptContext::route, now)
    }
}

// === impl AttemptLimits ===

impl AttemptLimits {
    /// An attempt that a deadline ends within the last tenth of its limit has used its limit.
    const ABOUT: u32 = 10;
    /// The last twentieth of a limit counts as reaching it.
    const CLOSE: u32 = 20;

    pub(super) fn of(shared: Arc<Shared>, request: &mut Request) -> Self {
        let stream = CallContext::info(request).stream();
        let least = shared.policy.slow.filter(|_| stream);
        let least = least.map(|least| (least, AttemptContext::route(request)));
        let pulse = stream.then(ProgressSignal::default);
        match &pulse {
            Some(pulse) => drop(request.extensions_mut().insert(pulse.clone())),
            None => drop(request.extensions_mut().remove::<ProgressSignal>()),
        }
        let bound = request.extensions().get::<StreamDeadline>().map(|bound| bound.0);
        let attempt = AttemptContext::of(request);
        let (line, last) = (Line::of(attempt), attempt.last_target);
        let started = Instant::now();
        let load = shared.load(request, started);
        let call = CallContext::of(request);
        let own = shared.policy.stream_total.map(|whole| saturating_add(started, whole));
        let mut limits = Self {
            attempt_log: call.attempt_log.clone(),
            deadline: call.deadline,
            min_attempt_time: call.min_attempt_time.unwrap_or_default(),
            line,
            pulse,
            beats: 0,
            first: None,
            started,
            least,
            whole: bound.or(own),
            last,
            load,
            phase: Phase::Deadline,
            limit: Duration::ZERO,
            since: started,
            until: started,
            shared,
        };
        limits.begin();
        limits.announce(request);
        limits
    }

    pub(super) fn has_time(&self) -> bool {
        let left = self.deadline.map(|deadline| deadline.left(self.started));
        self.until > self.started && left.is_none_or(|left| left >= self.min_attempt_time)
    }

    /// Sets the first limit: to the first content of a stream, else that of the whole attempt. At the last target a default limit
    /// is extended to the deadline of the call: a late answer is worth more than none.
    fn begin(&mut self) {
        let TimeoutPolicy { attempt, first_event, .. } = self.shared.policy;
        let (phase, limit) = match self.pulse {
            Some(_) => (Phase::FirstEvent, first_event),
            None => (Phase::Attempt, attempt),
        };
        let cold = self.load.as_ref().is_some_and(ModelLoad::is_cold) && !limit.is_set();
        let cold = self.shared.policy.cold_start.filter(|_| cold).unwrap_or_default();
        self.set(phase, limit.time().max(cold), self.started);
        match self.deadline {
            Some(deadline) if self.last && !limit.is_set() && self.phase == phase => {
                self.until = deadline.instant();
                self.end_with_the_stream();
            }
            _ => (),
        }
    }

    /// Sets the next limit, from `now`: `limit`, or whatever ends before it. If the deadline leaves nearly all of `limit`, the
    /// phase stays that of the limit: the attempt has used it.
    fn set(&mut self, phase: Phase, limit: Duration, now: Instant) {
        self.since = now;
        (self.phase, self.limit, self.until) = (phase, limit, saturating_add(self.since, limit));
        self.end_with_the_stream();
        if let Some(end) = self.deadline.map(Deadline::instant).filter(|end| *end < self.until) {
            let about = limit - limit / Self::ABOUT;
            if self.phase != phase || end < saturating_add(self.since, about) {
                (self.phase, self.since) = (Phase::Deadline, self.started);
            }
            self.until = end;
        }
    }

    /// Applies the limit of the whole stream if it is sooner.
    fn end_with_the_stream(&mut self) {
        let whole = self.whole.filter(|_| self.pulse.is_some());
        if let Some(end) = whole.filter(|end| *end < self.until) {
            (self.phase, self.until, self.since) = (Phase::Stream, end, self.started);
        }
    }

    /// Sends the time left to the upstream, if a header is configured.
    fn announce(&self, request: &mut Request) {
        if let Some(name) = &self.shared.policy.header {
            let left = self.until.saturating_duration_since(self.started).as_millis();
            let left = HeaderValue::from(u64::try_from(left).unwrap_or(u64::MAX));
            request.headers_mut().insert(name.clone(), left);
        }
    }

    /// Restarts the idle clock if content has arrived that is held back.
    pub(super) fn revive(&mut self) -> bool {
        let beats = self.pulse.as_ref().map_or(0, ProgressSignal::beats);
        let alive = beats != std::mem::replace(&mut self.beats, beats);
        if alive {
            self.set(Phase::Idle, self.shared.policy.idle, Instant::now());
            self.first.get_or_insert(self.since);
        }
        alive
    }

    pub(super) fn elapsed(&self) -> Error {
        let after = self.until.saturating_duration_since(self.since);
        self.shared.events.emit(EventKind::TimedOut { phase: self.phase, after });
        // The caller's deadline is no evidence about the connection.
        let line = self.line.as_ref().filter(|_| self.phase != Phase::Deadline);
        let silent = line.is_some_and(Line::is_silent);
        self.report_connection();
        match silent {
            true => Error::new(Outcome::ConnectionLost).with_source("a kept connection was silent"),
            false => Error::new(Outcome::TimedOut { phase: self.phase }),
        }
    }

    /// Records an answer of a model that may have been loaded for it.
    pub(super) fn record_load(&self, result: &Result<Response, Error>) {
        if let Some(load) = self.load.as_ref().filter(|_| judge(result).outcome().is_success()) {
            load.answered(Instant::now());
        }
    }

    pub(super) fn report_connection(&self) {
        if let Some(line) = &self.line {
            line.report(&self.shared.events);
        }
    }

    /// Handles an attempt that failed. A connection that is closed just as its silence reaches the limit counts as timed out,
    /// whichever side closed it. As a cut connection it would be retried, and be silent again.
    pub(super) fn failed(&self, error: Error) -> Error {
        self.report_connection();
        let closed = matches!(
            error.outcome(),
            Outcome::ConnectionLost | Outcome::Truncated | Outcome::Empty
        );
        let ours = matches!(self.phase, Phase::Attempt | Phase::FirstEvent | Phase::Idle);
        let heard = self.pulse.as_ref().map_or(0, ProgressSignal::beats) != self.beats;
        let close = self.since.elapsed() >= self.limit - self.limit / Self::CLOSE;
        if closed && ours && !heard && close { self.elapsed().with_source(error) } else { error }
    }

    /// Applies the idle and stream limits to the body of an answer.
    pub(super) fn guard(&self, mut response: Response) -> Response {
        let TimeoutPolicy { idle, stream_total: whole_stream, .. } = self.shared.policy;
        if let Some(first) = self.first {
            response.extensions_mut().insert(FirstContentAt(first));
        }
        if let Some(whole) = self.whole {
            response.extensions_mut().insert(StreamDeadline(whole));
        }
        let held = self.first.zip(self.pulse.as_ref());
        let pace =
            self.least.clone().map(|(least, route)| (ThroughputMeter::new(least, held), route));
        if let Some((pace, _)) = &pace {
            response.extensions_mut().insert(pace.clone());
        }
        let body = response.body_mut();
        if let Some(guard) = body.guard() {
            guard.clock(
                IdleTimeout::new(idle, self.whole)
                    .pace(pace.as_ref().map(|(pace, _)| pace.clone())),
            );
            guard.attempt_log(self.attempt_log.clone());
            let events = self.shared.events.clone();
            let told = TimeoutReporter { events, idle, whole_stream, pace };
            body.on_end(move |ending| told.tell(ending));
        }
        response
    }
}
