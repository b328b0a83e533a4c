//! Two laws, over any rules: the same seed has the same faults, and no call outlasts its deadline.

use evenkeel::fallback::Fallback;
use evenkeel_testkit::Reply;
use proptest::prelude::*;

use super::*;
use crate::support::{BUSY, any_call, check_property, in_virtual_time, with_deadline};

fn any_time(most: u64) -> impl Strategy<Value = std::time::Duration> {
    (1..most).prop_map(ms)
}

/// Any fault with any settings.
fn any_fault() -> impl Strategy<Value = Fault> {
    let kind = prop::sample::select(FaultKind::ALL);
    let settings = (0..80_u32, 1..3_000_usize, any_time(20_000), 400..600_u16, 0..50_u32);
    (kind, settings).prop_map(|(kind, (events, bytes, time, status, count))| {
        let mut fault = Fault::from(kind);
        match &mut fault {
            Fault::Status { status: it } => *it = http::StatusCode::from_u16(status).unwrap(),
            Fault::RateLimited { wait } => *wait = Some(time),
            Fault::SlowHead { delay } | Fault::SlowContent { delay } => *delay = time,
            Fault::SlowEvents { every } => *every = time / 8,
            Fault::ResetAfter { bytes: it } => *it = bytes,
            Fault::Cut { events: it }
            | Fault::Stall { events: it }
            | Fault::InvalidEvent { events: it }
            | Fault::ErrorEvent { events: it } => *it = events,
            Fault::Silence { events: it, lasts } => (*it, *lasts) = (events, time),
            Fault::Endless { events: it, every } => (*it, *every) = (events, time),
            Fault::Drip { bytes: it, every } => (*it, *every) = (bytes, ms(1) + time / 8),
            Fault::Comments { every, count: it } => (*every, *it) = (ms(1) + time / 8, count),
            _ => {}
        }
        fault
    })
}

fn any_rule() -> impl Strategy<Value = ChaosRule> {
    let target = prop::option::weighted(0.4, prop::sample::select(vec!["primary", "second*", "*"]));
    let window = (prop::option::of(any_time(30_000)), prop::option::of(any_time(60_000)));
    (any_fault(), target, 0.0..=1.0_f64, window, prop::option::of(1..4_u32)).prop_map(
        |(fault, target, share, (after, lasts), at_most)| {
            let rule = ChaosRule::new(fault).share(share);
            let rule = target.into_iter().fold(rule, ChaosRule::target);
            let rule = after.into_iter().fold(rule, ChaosRule::after);
            let rule = lasts.into_iter().fold(rule, ChaosRule::lasts);
            at_most.into_iter().fold(rule, ChaosRule::at_most)
        },
    )
}

fn any_rules() -> impl Strategy<Value = Vec<ChaosRule>> {
    prop::collection::vec(any_rule(), 1..5)
}

fn client(seed: u64, rules: &[ChaosRule]) -> (Client, ChaosSwitch) {
    let (primary, second) = pair();
    let switch = ChaosSwitch::for_at_most(secs(300));
    let policy = ChaosPolicy::new(&switch).seed(seed);
    let policy = rules.iter().cloned().fold(policy, ChaosPolicy::rule);
    let builder = Client::builder().chaos(policy).fallback(secondary());
    (over(builder.fallback(Fallback::canned(BUSY)), [&primary, &second]), switch)
}

#[test]
fn the_same_seed_and_the_same_order_of_attempts_have_the_same_faults() {
    let calls = prop::collection::vec((any::<bool>(), any_time(9_000)), 1..30);
    check_property(48, (any::<u64>(), any_rules(), calls), |(seed, rules, calls)| {
        // No waits of retries, which are random, and no policy that depends on them.
        let run = || {
            in_virtual_time(async {
                let (primary, switch) = (Provider::new("primary"), ChaosSwitch::new());
                let policy = ChaosPolicy::new(&switch).seed(seed);
                let policy = rules.iter().cloned().fold(policy, ChaosPolicy::rule);
                let client =
                    tower::ServiceBuilder::new().layer(policy.build().unwrap()).service(primary);
                switch.on();
                let mut seen = Vec::new();
                for (stream, wait) in &calls {
                    let answer = tower::ServiceExt::oneshot(client.clone(), chat(*stream));
                    let answer = match timeout(secs(40), answer).await {
                        Ok(Ok(response)) => {
                            let name = response.headers().get("evenkeel-chaos").cloned();
                            let _ = timeout(secs(40), read(response)).await;
                            format!("{name:?}")
                        }
                        Ok(Err(error)) => format!("{error:?}"),
                        Err(_) => "hang".to_owned(),
                    };
                    seen.push((answer, switch.injected_by_kind()));
                    sleep(*wait).await;
                }
                seen
            })
        };
        prop_assert_eq!(run(), run());
        Ok(())
    });
}

#[test]
fn no_call_outlasts_its_deadline_whatever_is_injected() {
    let calls = prop::collection::vec(any_call(), 1..12);
    check_property(64, (any::<u64>(), any_rules(), calls), |(seed, rules, calls)| {
        in_virtual_time(async {
            let (client, switch) = client(seed, &rules);
            switch.on();
            for it in &calls {
                sleep(it.after).await;
                let limit = it.deadline.unwrap_or(secs(30));
                let start = Instant::now();
                let answer = client.send(with_deadline(chat(it.stream), limit)).await;
                let took = start.elapsed();
                prop_assert!(took <= limit + ms(5), "{took:?} of {limit:?}");
                let Ok(response) = answer else { continue };
                prop_assert!(response.status().is_success() || response.status().as_u16() >= 400);
                // The body of a stream has no deadline, but ends with chaos: an endless stream at the latest.
                let body = timeout(secs(400), read(response)).await;
                prop_assert!(body.is_ok(), "the body hangs");
            }
            Ok(())
        })
    });
}

#[test]
fn every_call_is_answered_in_full_or_fails_clearly_under_faults_that_cut() {
    let cut = any_fault().prop_filter("keeps the words as they are", |fault| {
        !matches!(fault.kind(), FaultKind::Endless | FaultKind::NoFinish)
    });
    let rules = prop::collection::vec((cut, 0.0..=1.0_f64), 1..4);
    check_property(48, (any::<u64>(), rules), |(seed, rules)| {
        in_virtual_time(async {
            let rules: Vec<_> =
                rules.iter().cloned().map(|(it, share)| ChaosRule::new(it).share(share)).collect();
            let (client, switch) = client(seed, &rules);
            switch.on();
            for at in 0..12 {
                let answer = call(&client, chat(at % 2 == 0)).await.unwrap();
                prop_assert!(
                    crate::support::is_whole_or_failed(&answer),
                    "{:?}",
                    answer.attempt_log
                );
            }
            Ok(())
        })
    });
    // The providers themselves are well.
    assert_eq!(Reply::default(), Reply::answer());
}
