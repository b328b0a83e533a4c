//! The state that all clones of a layer share: decides on each attempt, and counts what is injected.

use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::time::Instant;

use super::{ChaosPolicy, ChaosSwitch, Fault, decide, period::Period, rule::AttemptFacts};
use crate::{
    Request,
    attempt_log::Injected,
    context::{AttemptContext, AttemptLog, CallContext},
    dialect::RequestInfo,
    sync::lock_std,
    telemetry::{EventKind, EventSink, FaultKind},
};

/// Decides which attempts have a fault.
#[derive(Debug)]
pub(super) struct Injector {
    policy: ChaosPolicy,
    /// The faults of each rule that are in progress.
    in_progress: Vec<Arc<AtomicU32>>,
    /// The attempts that any rule is for, in the current period.
    attempts: Mutex<AttemptCount>,
    events: EventSink,
}

#[derive(Debug, Default)]
struct AttemptCount {
    period: u64,
    count: u64,
}

/// A fault for one attempt.
#[derive(Debug)]
pub(super) struct Injection {
    pub(super) fault: Fault,
    pub(super) period: Period,
    pub(super) info: Arc<RequestInfo>,
    pub(super) injector: Arc<Injector>,
    /// Held until the attempt, or its body, is over.
    _permit: Permit,
    /// The log of the call, and the mark of the attempt in it.
    attempt_log: AttemptLog,
    mark: Injected,
}

/// One of the faults of a rule that may be in progress.
#[derive(Debug)]
pub(super) struct Permit(Arc<AtomicU32>);

// === impl Injector ===

impl Injector {
    pub(super) fn new(policy: ChaosPolicy, events: EventSink) -> Self {
        let in_progress = policy.rules.iter().map(|_| Arc::default()).collect();
        Self { policy, in_progress, attempts: Mutex::default(), events }
    }

    /// The same policy with another sink, and a state of its own.
    pub(super) fn with_events(&self, events: EventSink) -> Self {
        Self::new(self.policy.clone(), events)
    }

    pub(super) fn switch(&self) -> &ChaosSwitch {
        &self.policy.switch
    }

    /// The fault of an attempt, if it has one.
    pub(super) fn next(self: &Arc<Self>, request: &mut Request) -> Option<Injection> {
        let now = Instant::now();
        self.report(now);
        let period = self.switch().period(now)?;
        let rule = self.rule_of(request, period, now)?;
        let fault = self.policy.rules[rule].fault.clone();
        let mark = mark(request, fault.kind());
        let attempt_log = CallContext::of(request).attempt_log.clone();
        // The request of an attempt is sent again with other credentials: it has had its fault.
        if attempt_log.is_injected(&mark) {
            return None;
        }
        let permit = self.permit(rule)?;
        let (info, injector) = (CallContext::info(request), self.clone());
        Some(Injection { fault, period, info, injector, _permit: permit, attempt_log, mark })
    }

    /// The rule that takes an attempt, by its index. An attempt that no rule is for is not counted.
    fn rule_of(&self, request: &mut Request, period: Period, now: Instant) -> Option<usize> {
        let (route, info) = (AttemptContext::route(request), CallContext::info(request));
        let context = AttemptContext::of(request);
        // The route of an edited request has a suffix.
        let suffix = context.variant.as_deref().unwrap_or_default();
        let names = [&context.fallback_name, &context.provider_name];
        let attempt = AttemptFacts {
            names: names.map(|name| name.as_deref().unwrap_or_default()),
            route: &route,
            model: route.model().strip_suffix(suffix).unwrap_or(route.model()),
            operation: info.operation(),
            stream: info.stream(),
        };
        let rules = &self.policy.rules;
        if !rules.iter().any(|rule| rule.is_for(&attempt)) {
            return None;
        }
        let draw = decide::draw(self.policy.seed, self.count(period));
        decide::rule_of(rules, &attempt, now.saturating_duration_since(period.since), draw)
    }

    /// Reports that chaos is on, or has ended, if that is due.
    pub(super) fn report(&self, now: Instant) {
        if let Some(event) = self.switch().report(now) {
            self.events.emit(event);
        }
    }

    /// The number of this attempt in the period, from 0.
    fn count(&self, period: Period) -> u64 {
        let mut attempts = lock_std(&self.attempts);
        if attempts.period != period.number {
            *attempts = AttemptCount { period: period.number, count: 0 };
        }
        attempts.count += 1;
        attempts.count - 1
    }

    /// A permit of the rule at that index, unless as many of its faults as allowed are in progress.
    fn permit(&self, rule: usize) -> Option<Permit> {
        let most = self.policy.rules[rule].at_most.unwrap_or(u32::MAX);
        let in_progress = &self.in_progress[rule];
        let more = |count: u32| (count < most).then_some(count + 1);
        let taken = in_progress.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.is_ok().then(|| Permit(in_progress.clone()))
    }
}

/// The mark of an attempt in the log of its call.
fn mark(request: &mut Request, fault: FaultKind) -> Injected {
    let route = AttemptContext::route(request);
    let attempt = AttemptContext::of(request);
    Injected { fallback: attempt.fallback_index, route, copy: attempt.second_copy, fault }
}

// === impl Injection ===

impl Injection {
    /// Records that the fault is injected: in the counts, the log of the call, the span and the events.
    pub(super) fn record(&self) {
        let fault = self.fault.kind();
        self.injector.switch().count(fault);
        self.attempt_log.inject(self.mark.clone());
        let route = self.mark.route.clone();
        self.injector.events.emit(EventKind::FaultInjected { route, fault });
    }

    /// Resolves when chaos is switched off, or has ended.
    pub(super) fn ended(&self) -> impl Future<Output = ()> + Send + Sync + use<> {
        let (ended, injector) = (self.injector.switch().ended(self.period), self.injector.clone());
        async move {
            ended.await;
            injector.report(Instant::now());
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
