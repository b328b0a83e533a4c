//! The race of a breaker's probe with the rungs below it: callers do not pay for probing.

use std::time::Duration;

use tokio::{
    runtime::Handle,
    time::{Instant, sleep_until},
};

use super::{
    descent::{Descent, End, Way},
    failure::Failure,
};
use crate::{
    Error, Request, Response, Upstream,
    classify::{Outcome, judge},
    context::{Call, ProbeSignal, later},
    hedge::Latencies,
    telemetry::{Edited, Event},
};

/// Where the usual time of a route is not known.
const UNKNOWN: Duration = Duration::from_millis(500);
/// So many samples tell what is usual.
const SAMPLES: u32 = 5;
const MEDIAN: f64 = 0.5;

/// Who came first.
pub(super) enum Raced {
    /// The rung itself.
    Own(Result<Response, Error>),
    /// One below it.
    Below(Result<Response, Error>),
}

/// Asks a rung. Where that is a breaker's probe, and slow, the rungs below are asked beside it, as they are for every
/// other call of that time. The first answer counts. The probe goes on without its caller until it is decided.
pub(super) async fn run<S: Upstream>(
    descent: &mut Descent<S>,
    at: usize,
    mut ready: (Request, Edited),
) -> Raced {
    let started = Instant::now();
    let patience = patience(descent, at);
    let signal = Call::of(&mut ready.0).probe_signal.clone().unwrap_or_default();
    let (mut ladder, ask) = (descent.ladder().clone(), descent.ask().clone());
    let mut probe: Way<'static, Result<Response, Error>> =
        Box::pin(async move { ladder.ask(at, ready, &ask).await });
    tokio::select! {
        biased;
        result = &mut probe => return Raced::Own(result),
        () = slow(&signal, patience) => {}
    }
    let after = started.elapsed();
    descent.ladder().events.emit(Event::ProbeRaced { rung: at as u16, after });
    let mut below = descent.clone();
    let mut rest = below.down(at + 1, Some(Failure::of(Outcome::Refused { retry_in: None }, at)));
    tokio::select! {
        biased;
        result = &mut probe => {
            if answered(&result) {
                return Raced::Own(result);
            }
            match rest.await {
                End::Told(told) => Raced::Below(told),
                End::Failed(_) => Raced::Own(result),
            }
        }
        end = &mut rest => match end {
            End::Told(told) if answered(&told) => {
                go_on(probe);
                Raced::Below(told)
            }
            _ => Raced::Own(probe.await),
        },
    }
}

/// Waits until an attempt has been the probe for longer than `patience`; a retry may be the probe where the first is not.
async fn slow(signal: &ProbeSignal, patience: Duration) {
    loop {
        let probe = signal.raised().await;
        sleep_until(later(probe.since, patience)).await;
        if signal.probe().is_some_and(|now| now == probe) {
            return;
        }
    }
}

fn answered(result: &Result<Response, Error>) -> bool {
    judge(result).outcome().is_success()
}

/// Lets the probe come to its end without its caller: its outcome counts. It is bounded by its own limits, and the
/// breaker has one at a time.
fn go_on(probe: Way<'static, Result<Response, Error>>) {
    if let Ok(runtime) = Handle::try_current() {
        // The answer itself is nobody's any more: it is dropped as soon as it has begun.
        drop(runtime.spawn(async move { drop(probe.await) }));
    }
}

/// How long a probe is waited for before the next rung is asked: as long as first events of its route usually take, and no
/// more than a fifth of what they take on the next rung, so that its caller is served hardly later than the others.
fn patience<S: Upstream>(descent: &Descent<S>, at: usize) -> Duration {
    let latencies = &descent.ladder().latencies;
    let usual = |at: usize| -> Option<Duration> {
        let rung = descent.policy().rungs.get(at).filter(|rung| !rung.is_instant())?;
        let ready = rung.ready(descent.request(), descent.ask(), None);
        usual(latencies, &mut ready.ok()?.0)
    };
    let own = usual(at).unwrap_or(UNKNOWN);
    usual(at + 1).map_or(own, |next| own.min(next / 5))
}

fn usual(latencies: &Latencies, request: &mut Request) -> Option<Duration> {
    let stream = Call::ask(request).stream();
    latencies.quantile(&Call::route(request), stream, (MEDIAN, SAMPLES))
}
