//! Drives a layer over a probe.

use std::{future::Future, pin::Pin, time::Duration};

use evenkeel::{Error, Request, Response};
use tower::{Layer, Service};

use crate::probe::{Probe, Rule, Violation, scenario};

type Run<'a> = Pin<Box<dyn Future<Output = Result<(), Rule>> + Send + 'a>>;

/// Longer than any layer with sensible limits.
const LONGEST: Duration = Duration::from_secs(60);

/// Drives the layer over a [`Probe`] in every way that Tower's contract allows, and tells what it did wrong. Each part of the
/// check has a service of its own.
pub async fn check<L>(layer: L) -> Vec<Violation>
where
    L: Layer<Probe>,
    L::Service: Service<Request, Response = Response, Error = Error> + Clone + Send + 'static,
    <L::Service as Service<Request>>::Future: Send,
{
    let mut found = Vec::new();
    macro_rules! part {
        ($scenario:ident) => {
            let probe = Probe::new();
            let run = scenario::$scenario(layer.layer(probe.clone()), &probe);
            found.extend(one(stringify!($scenario), Box::pin(run), &probe).await);
        };
    }
    part!(one_after_the_other);
    part!(a_clone_beside_a_ready_service);
    part!(at_the_same_time);
    part!(dropped_while_pending);
    part!(ready_and_never_called);
    part!(a_stream_dropped_half_way);
    part!(a_final_failure);
    part!(an_upstream_that_is_never_ready);
    found
}

/// Runs one part of the check.
async fn one(during: &'static str, run: Run<'_>, probe: &Probe) -> Vec<Violation> {
    let caught = tokio::time::timeout(LONGEST, catch(run)).await;
    let mut rules: Vec<_> = caught.unwrap_or(Err(Rule::Stuck)).err().into_iter().collect();
    if probe.unready() > 0 {
        rules.push(Rule::CalledUnready);
    }
    rules.into_iter().map(|rule| Violation { rule, during }).collect()
}

/// A panic of the layer is a violation like any other.
async fn catch(mut run: Run<'_>) -> Result<(), Rule> {
    std::future::poll_fn(move |cx| {
        let poll = std::panic::AssertUnwindSafe(|| run.as_mut().poll(cx));
        std::panic::catch_unwind(poll).unwrap_or(std::task::Poll::Ready(Err(Rule::Panicked)))
    })
    .await
}
