//! Adaptive concurrency in the whole stack.

use evenkeel::limit::AdaptivePolicy;

use super::*;

/// A provider with `places` concurrent attempts, each for the time of its answer; one more is a 429.
fn provider(places: usize, answer: Reply) -> Provider {
    let provider = Provider::new("primary").always(answer);
    provider.capacity(Capacity::Concurrent(places), Reply::rate_limited(None))
}

/// One phase: its attempts after the first minute, as a share of the capacity, and the share that was rejected.
#[derive(Debug)]
struct Phase {
    goodput: f64,
    refused: f64,
}

/// Keeps three times as many callers busy as the provider's initial capacity: full, halved, and full again.
async fn play(places: usize, took: Duration, phase: Duration) -> Vec<Phase> {
    let answer = Reply::answer().head_after(took);
    let primary = provider(places, answer);
    let concurrency = Concurrency::Adaptive(AdaptivePolicy::default());
    let policy = LimitPolicy::new().concurrency(concurrency);
    // Only the limit is tested: no breaker opens, and there is no retry.
    let profile = Profile::pipeline().limit(policy).retry(RetryPolicy::new().retries(0));
    let log = EventLog::default();
    let client = over(log.attach_to(Client::builder().profile(profile)), [&primary]);
    let route = route_of(&client).await;
    client.breakers().force_closed(&route);
    let start = Instant::now();
    let callers = (0..3 * places).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            loop {
                if call(&client, ask("m")).await.is_err() {
                    sleep(ms(100)).await;
                }
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    let mut phases = Vec::new();
    for (n, now) in [places, places / 2, places].into_iter().enumerate() {
        primary.limit_to(Capacity::Concurrent(now));
        let settled = start + phase * n as u32 + MINUTE;
        sleep_until(settled).await;
        let before = (primary.attempts().len(), log.rate_limited_at().len());
        sleep_until(start + phase * (n as u32 + 1)).await;
        let sent = primary.attempts().len() - before.0;
        let refused = log.rate_limited_at().len() - before.1;
        let possible = now as f64 * (phase - MINUTE).as_secs_f64() / took.as_secs_f64();
        let goodput = (sent - refused) as f64 / possible;
        phases.push(Phase { goodput, refused: refused as f64 / sent as f64 });
    }
    callers.iter().for_each(tokio::task::JoinHandle::abort);
    phases
}

/// The route of the calls.
async fn route_of(client: &Client) -> evenkeel::context::Route {
    call(client, ask("m")).await.unwrap();
    client.limits().list().remove(0).0
}

#[track_caller]
fn holds(phases: &[Phase]) {
    println!("{phases:?}");
    for phase in phases {
        assert!(phase.goodput >= 0.9 && phase.refused <= 0.05, "{phases:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn adaptive_concurrency_follows_a_capacity_that_halves_and_comes_back() {
    holds(&play(20, secs(1), 3 * MINUTE).await);
    holds(&play(8, ms(300), 2 * MINUTE).await);
}
