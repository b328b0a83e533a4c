//! The race of a breaker's probe with the targets below it: callers do not pay for probing.

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

/// Where the usual time of a route is not known.
const UNKNOWN: Duration = Duration::from_millis(500);
/// The median of five samples tells what is usual.
const USUAL: QuantileQuery = QuantileQuery { quantile: 0.5, min_samples: 5 };

/// Who came first.
pub(super) enum RaceResult {
    /// The fallback itself.
    Own(Result<Response, Error>),
    /// One below it.
    Below(Result<Response, Error>),
    /// Nobody: the fallback failed with this, and so did all targets below it.
    Nobody(Result<Response, Error>, Box<Failure>),
}

/// Asks a fallback. Where that is a breaker's probe, and slow, the targets below are asked beside it, as they are for every
/// other call of that time. The first answer counts. The probe goes on without its caller until it is decided. What is
/// made or stored here takes no part: it is for a call that no target answers.
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

/// A failure of the fallback itself, and what those below came to.
fn against(failed: Result<Response, Error>, end: StepResult) -> RaceResult {
    match end {
        StepResult::Answered(told) => RaceResult::Below(told),
        StepResult::Failed(below) => RaceResult::Nobody(failed, Box::new(below)),
    }
}

/// Whether the call ends with it, whatever those below come to.
fn is_conclusive(result: &Result<Response, Error>, at: usize) -> bool {
    stops(judge(result).outcome(), at)
}

/// Waits until an attempt has been the probe for longer than it is waited for; a retry may be the probe where the first is
/// not.
async fn slow<S: Upstream>(run: &FallbackRun<S>, at: usize, signal: &ProbeSignal) -> Probe {
    loop {
        let probe = signal.raised().await;
        sleep_until(saturating_add(probe.since, race_delay(run, at))).await;
        if signal.probe().is_some_and(|now| now == probe) {
            return probe;
        }
    }
}

/// Lets the probe come to its end without its caller: its outcome counts. It is bounded by its own limits, and the
/// breaker has one at a time.
fn detach(probe: BoxFuture<'static, Result<Response, Error>>) {
    if let Ok(runtime) = Handle::try_current() {
        // The answer itself is nobody's any more: it is dropped as soon as it has begun.
        let probe = SpanHandle::current().around(async move { drop(probe.await) });
        drop(runtime.spawn(probe));
    }
}

/// How long a probe is waited for before the next fallback is asked: as long as first events of its route usually take, and no
/// more than a fifth of what they take on the next fallback, so that its caller is served hardly later than the others.
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
