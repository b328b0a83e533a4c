//! Races a breaker's probe against the targets below it, so that the caller of the probe is not delayed.

use std::time::Duration;

use tokio::{
    runtime::Handle,
    time::{Instant, sleep_until},
};

use super::{
    eligibility::PreparedRequest,
    failure::{Failure, stops},
    run::{BoxFuture, FallbackRun, StepResult},
};
use crate::{
    Error, Request, Response, Upstream,
    context::{AttemptContext, CallContext, Probe, ProbeSignal},
    error::judge,
    latency::{Latencies, QuantileQuery},
    outcome::Outcome,
    telemetry::{EventKind, SpanHandle},
    time::saturating_add,
};

/// The delay for a route whose usual time is not known.
const UNKNOWN: Duration = Duration::from_millis(500);
/// The minimum number of samples for a usual time.
const USUAL: QuantileQuery = QuantileQuery { quantile: 0.5, min_samples: 5 };

/// The winner of the race.
pub(super) enum RaceResult {
    /// The fallback itself.
    Own(Result<Response, Error>),
    /// A fallback below it.
    Below(Result<Response, Error>),
    /// None: the fallback failed with this result, and so did all targets below it.
    Nobody(Result<Response, Error>, Box<Failure>),
}

/// Sends to a fallback. If that attempt is a breaker's probe and slow, the targets below are tried concurrently, as they are for
/// other calls at that time. The first answer wins. The probe continues without its caller until it is decided. Stored answers
/// and canned replies take no part: they are for a call that no target answers.
pub(super) async fn run<S: Upstream>(
    run: &mut FallbackRun<S>,
    at: usize,
    ready: PreparedRequest,
    signal: ProbeSignal,
) -> RaceResult {
    let started = Instant::now();
    let (mut fallbacks, info) = (run.steps().clone(), run.info().clone());
    let mut probe: BoxFuture<'static, Result<Response, Error>> =
        Box::pin(async move { fallbacks.ask(at, ready, &info).await });
    let slow = tokio::select! {
        biased;
        result = &mut probe => return RaceResult::Own(result),
        slow = slow(run, at, &signal) => slow,
    };
    let after = started.elapsed();
    run.steps().events.emit(EventKind::ProbeRaced { fallback: at as u16, after });
    run.log_probe(at, slow.route, slow.since.elapsed());
    let mut below = run.beside();
    let mut rest =
        below.run_from(at + 1, Some(Failure::of(Outcome::NotSent { retry_in: None }, at)));
    tokio::select! {
        biased;
        result = &mut probe => match is_conclusive(&result, at) {
            true => RaceResult::Own(result),
            false => against(result, rest.await),
        },
        end = &mut rest => match end {
            StepResult::Answered(told) if judge(&told).outcome().is_success() => {
                if signal.probe().is_some() {
                    detach(probe);
                }
                RaceResult::Below(told)
            }
            end => {
                let result = probe.await;
                if is_conclusive(&result, at) { RaceResult::Own(result) } else { against(result, end) }
            }
        },
    }
}

/// The result of the race after the fallback itself has failed.
fn against(failed: Result<Response, Error>, end: StepResult) -> RaceResult {
    match end {
        StepResult::Answered(told) => RaceResult::Below(told),
        StepResult::Failed(below) => RaceResult::Nobody(failed, Box::new(below)),
    }
}

/// Whether the call ends with this result, whatever the outcome of those below.
fn is_conclusive(result: &Result<Response, Error>, at: usize) -> bool {
    stops(judge(result).outcome(), at)
}

/// Waits until an attempt has been the probe for longer than the race delay. A retry may be the probe even if the first attempt
/// is not.
async fn slow<S: Upstream>(run: &FallbackRun<S>, at: usize, signal: &ProbeSignal) -> Probe {
    loop {
        let probe = signal.raised().await;
        sleep_until(saturating_add(probe.since, race_delay(run, at))).await;
        if signal.probe().is_some_and(|now| now == probe) {
            return probe;
        }
    }
}

/// Lets the probe finish without its caller, so that its outcome is recorded. It is bounded by its own timeouts, and the breaker
/// has one probe at a time.
fn detach(probe: BoxFuture<'static, Result<Response, Error>>) {
    if let Ok(runtime) = Handle::try_current() {
        // The answer has no reader any more: it is dropped as soon as it has begun.
        let probe = SpanHandle::current().around(async move { drop(probe.await) });
        drop(runtime.spawn(probe));
    }
}

/// The delay before the next fallback is tried: the usual time to the first event on the probe's route, and at most a fifth of
/// that time on the next fallback, so that the caller is served hardly later than others.
fn race_delay<S: Upstream>(run: &FallbackRun<S>, at: usize) -> Duration {
    let latencies = &run.steps().latencies;
    let usual = |at: usize| -> Option<Duration> {
        let fallback = run.policy().fallbacks.get(at).filter(|fallback| !fallback.is_instant())?;
        let ready = fallback.prepare(run.request(), run.info(), None);
        usual(latencies, &mut ready.ok()?.request)
    };
    let own = usual(at).unwrap_or(UNKNOWN);
    usual(at + 1).map_or(own, |next| own.min(next / 5))
}

fn usual(latencies: &Latencies, request: &mut Request) -> Option<Duration> {
    let stream = CallContext::info(request).stream();
    latencies.quantile_of(&AttemptContext::route(request), stream, USUAL)
}
