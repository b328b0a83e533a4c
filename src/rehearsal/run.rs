//! Sends the requests of a rehearsal.

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, timeout},
};
use tower::{Service, ServiceBuilder, service_fn};

use super::{Finding, Rehearsal, RehearsedTarget};
use crate::{
    Error, Request, Response, Upstream,
    amend::AmendLayer,
    classify::ClassifyLayer,
    coding::RestoreRequestLayer,
    context::AttemptContext,
    credentials::CredentialLayer,
    error::judge,
    fallback::{FallbackList, FallbackPolicy, RehearsalPlan, RehearsalStep},
    outcome::{Outcome, Phase},
    profile::Profile,
    reasoning::ReasoningLayer,
    sync::lock_std as lock,
    telemetry::{EditSummary, Event, EventKind, EventSink},
    timeout::TimeoutLayer,
    upstream::ResponseFuture,
};

/// Sends requests past everything that a stack keeps for its routes.
#[derive(Clone)]
pub(crate) struct Rehearser {
    send: Arc<dyn Fn(Request, EventSink) -> ResponseFuture + Send + Sync>,
    deadline: Duration,
}

/// When the head of an answer arrived.
#[derive(Clone, Debug, Default)]
struct HeadAt(Arc<OnceLock<Instant>>);

/// The number of targets that are asked at a time.
const AT_A_TIME: usize = 8;
/// The header by which a caller sets its deadline: no target gets it.
const DEADLINE: &str = "evenkeel-deadline-ms";

// === impl Rehearser ===

impl Rehearser {
    /// Sends over that transport, with the limits of that profile.
    pub(crate) fn new(
        upstream: impl Upstream,
        profile: &Profile,
        fallbacks: &FallbackPolicy,
    ) -> Self {
        let limits = profile.timeout.clone().within(fallbacks.first_target_time(profile.deadline));
        let timeout = TimeoutLayer::new(limits);
        let classify = ClassifyLayer::new(profile.classify.clone());
        let upstream = timed(upstream);
        let send = move |request: Request, events: EventSink| -> ResponseFuture {
            // The layers of a stack that make the request and judge the answer, without those that keep a state of routes.
            let mut service = ServiceBuilder::new()
                .layer(AmendLayer::new().events(events.clone()))
                .layer(ReasoningLayer::default().events(events.clone()))
                .layer(timeout.clone())
                .layer(classify.clone())
                .layer(RestoreRequestLayer::default())
                .layer(CredentialLayer::default().events(events))
                .service(upstream.clone());
            Box::pin(async move {
                poll_fn(|cx| service.poll_ready(cx)).await?;
                service.call(request).await
            })
        };
        Self { send: Arc::new(send), deadline: profile.deadline }
    }

    /// Asks every target.
    pub(crate) async fn run(&self, fallbacks: &FallbackList, mut request: Request) -> Rehearsal {
        request.headers_mut().remove(DEADLINE);
        let steps = fallbacks.rehearse(request, &EventSink::default());
        let permits = Arc::new(Semaphore::new(AT_A_TIME));
        let mut under_way = JoinSet::new();
        for (at, step) in steps.into_iter().enumerate() {
            let (rehearser, permits) = (self.clone(), permits.clone());
            under_way.spawn(async move {
                // The semaphore is never closed.
                let _permit = permits.acquire().await;
                (at, rehearser.step(step).await)
            });
        }
        let mut found = Vec::new();
        while let Some(ended) = under_way.join_next().await {
            match ended {
                Ok(target) => found.push(target),
                // A transport that panics does so in a call as well.
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => {}
            }
        }
        found.sort_by_key(|(at, _)| *at);
        Rehearsal { targets: found.into_iter().map(|(_, target)| target).collect() }
    }

    async fn step(&self, step: RehearsalStep) -> RehearsedTarget {
        let RehearsalStep { fallback, target, name, plan } = step;
        let mut report = RehearsedTarget {
            fallback,
            name,
            target,
            route: None,
            finding: Finding::NotAsked,
            status: None,
            head_after: None,
            answer_after: None,
            edits: EditSummary::default(),
        };
        match plan {
            RehearsalPlan::Pass => {}
            RehearsalPlan::Canned(Ok(())) => report.finding = Finding::Rendered,
            RehearsalPlan::Canned(Err(fault)) => report.finding = Finding::NotRendered(fault),
            RehearsalPlan::Skip { reason, shortfalls } => {
                report.finding = Finding::Skipped { reason, shortfalls };
            }
            RehearsalPlan::Send { request, edits } => {
                report.edits = edits;
                self.ask(*request, &mut report).await;
            }
        }
        report
    }

    async fn ask(&self, mut request: Request, report: &mut RehearsedTarget) {
        report.route = Some(AttemptContext::route(&mut request));
        let head = HeadAt::default();
        request.extensions_mut().insert(head.clone());
        let edits = Arc::new(Mutex::new(EditSummary::default()));
        let (seen, started) = (edits.clone(), Instant::now());
        let events = EventSink::new(move |event: &Event| {
            if let EventKind::RequestEdited { edited, .. } = &event.kind {
                lock(&seen).add(edited.clone());
            }
        });
        let result = match timeout(self.deadline, (self.send)(request, events)).await {
            Ok(result) => result,
            Err(_) => Err(Error::new(Outcome::TimedOut { phase: Phase::Deadline })),
        };
        report.answer_after = Some(started.elapsed());
        report.head_after = head.0.get().map(|at| at.saturating_duration_since(started));
        report.edits.add(lock(&edits).clone());
        report.status = result.as_ref().ok().map(Response::status);
        let verdict = judge(&result);
        report.finding = match verdict.outcome().is_success() {
            true => Finding::Answered,
            false => Finding::Failed(verdict),
        };
    }
}

impl fmt::Debug for Rehearser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rehearser")
    }
}

/// A transport that notes when the head of an answer arrives.
fn timed<S: Upstream>(upstream: S) -> impl Upstream {
    service_fn(move |mut request: Request| {
        let head = request.extensions_mut().remove::<HeadAt>();
        let mut upstream = upstream.clone();
        async move {
            poll_fn(|cx| upstream.poll_ready(cx)).await?;
            let response = upstream.call(request).await?;
            if let Some(head) = head {
                // A second request, without a field that the target rejected, has the head of the first.
                let _ = head.0.set(Instant::now());
            }
            Ok(response)
        }
    })
}
