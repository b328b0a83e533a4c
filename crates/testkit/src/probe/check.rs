//! Runs all cases on a layer over a probe.

use std::{future::Future, pin::Pin, time::Duration};

use evenkeel::{Error, Request, Response};
use tower::{Layer, Service};

use crate::probe::{Probe, Rule, Violation, cases};

type Run<'a> = Pin<Box<dyn Future<Output = Result<(), Rule>> + Send + 'a>>;

/// The time for one case: longer than the limits of any layer.
const CASE_TIMEOUT: Duration = Duration::from_secs(60);

/// Calls the layer over a [`Probe`] in each way that the contract of Tower allows, and returns the violations. Each case has a
/// service of its own.
pub async fn check<L>(layer: L) -> Vec<Violation>
where
    L: Layer<Probe>,
    L::Service: Service<Request, Response = Response, Error = Error> + Clone + Send + 'static,
    <L::Service as Service<Request>>::Future: Send,
{
    let mut found = Vec::new();
    macro_rules! run_case {
        ($case:ident) => {
            let probe = Probe::new();
            let run = cases::$case(layer.layer(probe.clone()), &probe);
            found.extend(run_one(stringify!($case), Box::pin(run), &probe).await);
        };
    }
    run_case!(one_after_the_other);
    run_case!(a_clone_beside_a_ready_service);
    run_case!(at_the_same_time);
    run_case!(dropped_while_pending);
    run_case!(ready_and_never_called);
    run_case!(a_stream_dropped_half_way);
    run_case!(a_final_failure);
    run_case!(an_upstream_that_is_never_ready);
    found
}

/// Runs one case.
async fn run_one(during: &'static str, run: Run<'_>, probe: &Probe) -> Vec<Violation> {
    let caught = tokio::time::timeout(CASE_TIMEOUT, catch(run)).await;
    let mut rules: Vec<_> = caught.unwrap_or(Err(Rule::Stuck)).err().into_iter().collect();
    if probe.unready_calls() > 0 {
        rules.push(Rule::CalledUnready);
    }
    rules.into_iter().map(|rule| Violation { rule, during }).collect()
}

/// Returns a panic of the layer as a violation.
async fn catch(mut run: Run<'_>) -> Result<(), Rule> {
    std::future::poll_fn(move |cx| {
        let poll = std::panic::AssertUnwindSafe(|| run.as_mut().poll(cx));
        std::panic::catch_unwind(poll).unwrap_or(std::task::Poll::Ready(Err(Rule::Panicked)))
    })
    .await
}
