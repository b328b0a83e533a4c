//! Properties of the whole stack for any replies of providers, in any order, and for callers that leave at any time.
//!
//! Every case has a script of replies for two targets, plays a number of calls in virtual time, and checks what the caller, the
//! providers and the listener received.

use std::{collections::BTreeMap, time::Duration};

use evenkeel::{
    Client, Profile, breaker::BreakerPolicy, classify::ClassifyPolicy, context::Deadline,
    fallback::Fallback, outcome::Outcome, retry::RetryPolicy, stream::CommitPolicy,
    telemetry::EventKind,
};
use evenkeel_testkit::{Provider, Reply};
use proptest::prelude::*;
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt;

use crate::support::{
    Answer, BUSY, Call, EventLog, any_call, any_reply, chat, check_property, in_virtual_time,
    is_whole_or_failed, over, pair, read, secondary, secs,
};

#[derive(Clone, Debug)]
struct Script {
    primary: Vec<Reply>,
    second: Vec<Reply>,
    calls: Vec<Call>,
    complete: bool,
    seed: u64,
}

fn script() -> impl Strategy<Value = Script> {
    let replies = || prop::collection::vec(any_reply(), 0..16);
    let calls = prop::collection::vec(any_call(), 1..8);
    (replies(), replies(), calls, any::<bool>(), any::<u64>()).prop_map(
        |(primary, second, calls, complete, seed)| Script {
            primary,
            second,
            calls,
            complete,
            seed,
        },
    )
}

impl Script {
    fn profile(&self) -> Profile {
        let commit =
            if self.complete { CommitPolicy::Complete } else { CommitPolicy::FirstContent };
        let retry = RetryPolicy::default().seed(self.seed);
        Profile::interactive().classify(ClassifyPolicy::default().commit(commit)).retry(retry)
    }

    fn providers(&self) -> (Provider, Provider) {
        // Breakers have random jitter; the seed makes it the same in every run.
        fastrand::seed(self.seed);
        let (primary, second) = pair();
        (primary.replies(self.primary.clone()), second.replies(self.second.clone()))
    }
}

/// The result of one call: its answer, its error or nothing, and the time until then.
struct Came {
    result: Option<Result<Answer, evenkeel::Error>>,
    took: Duration,
}

async fn make(client: &Client, call: &Call) -> Came {
    sleep(call.after).await;
    let start = Instant::now();
    let mut request = chat(call.stream);
    if let Some(deadline) = call.deadline {
        request.extensions_mut().insert(Deadline::within(deadline));
    }
    let mut took = None;
    let work = async {
        let result = client.send(request).await;
        took = Some(start.elapsed());
        match result {
            Ok(response) => Ok(read(response).await),
            Err(error) => Err(error),
        }
    };
    let result = match call.leaves {
        Some(leaves) => timeout(leaves, work).await.ok(),
        None => Some(work.await),
    };
    Came { result, took: took.unwrap_or(start.elapsed()) }
}

#[test]
fn law_with_a_canned_last_fallback_every_call_is_answered_before_its_deadline() {
    check_property(250, script(), |script| {
        in_virtual_time(async {
            let (primary, second) = script.providers();
            let builder = Client::builder().profile(script.profile());
            let builder = builder.fallback(secondary()).fallback(Fallback::canned(BUSY));
            let client = over(builder, [&primary, &second]);
            for call in &script.calls {
                let came = make(&client, call).await;
                let limit = call.deadline.unwrap_or(secs(30));
                prop_assert!(came.took <= limit, "{:?} of {limit:?}", came.took);
                match came.result {
                    None => {}
                    Some(Err(error)) => return Err(TestCaseError::fail(format!("{error:?}"))),
                    Some(Ok(answer)) => prop_assert!(is_whole_or_failed(&answer), "{answer:?}"),
                }
            }
            // A probe that lost its race continues without its caller, within its own limits.
            sleep(secs(30)).await;
            prop_assert_eq!((primary.in_flight(), second.in_flight()), (0, 0));
            Ok(())
        })
    });
}

#[test]
fn law_no_fallback_sees_more_attempts_of_a_call_than_its_retries_allow() {
    check_property(250, (script(), 0..4_u32), |(script, retries)| {
        in_virtual_time(async {
            let (primary, second) = script.providers();
            let retry = RetryPolicy::default().seed(script.seed).retries(retries);
            let builder = Client::builder().profile(script.profile().retry(retry));
            let client = over(builder.fallback(secondary()), [&primary, &second]);
            for call in &script.calls {
                primary.forget();
                second.forget();
                let came = make(&client, call).await;
                let most = u64::from(retries) + 1;
                prop_assert!(primary.count() <= most && second.count() <= most);
                // A connection that broke may be charged: repeated once, and not again.
                if let Some(Ok(Answer { attempt_log: Some(attempt_log), .. })) = &came.result {
                    prop_assert_eq!(
                        u64::from(attempt_log.sent()),
                        primary.count() + second.count()
                    );
                    for fallback in 0..2 {
                        let broken = attempt_log.attempts().into_iter();
                        let broken = broken.filter(|a| {
                            a.fallback == fallback && a.outcome == Outcome::ConnectionLost
                        });
                        prop_assert!(broken.count() <= 2);
                    }
                }
            }
            Ok(())
        })
    });
}

#[test]
fn law_every_call_and_every_attempt_ends_once_and_every_body_too() {
    check_property(250, script(), |script| {
        in_virtual_time(async {
            let (primary, second) = script.providers();
            let log = EventLog::default();
            let builder = log.attach_to(Client::builder().profile(script.profile()));
            let client = over(builder.fallback(secondary()), [&primary, &second]);
            let (mut sent, mut queued) = (0, 0);
            for call in &script.calls {
                log.clear();
                let came = make(&client, call).await;
                if log.count("attempt_started") != log.count("attempt_ended") {
                    // A probe that lost its race continues to its end.
                    sleep(secs(31)).await;
                }
                let mut counts = BTreeMap::new();
                for name in log.names() {
                    *counts.entry(name).or_insert(0_u64) += 1;
                }
                let count = |name: &str| counts.get(name).copied().unwrap_or_default();
                // A caller may leave before the call was polled, when nothing has started.
                let began = count("call_started");
                prop_assert!(began == 1 || (began == 0 && call.leaves.is_some()));
                prop_assert_eq!(count("call_ended"), began);
                prop_assert_eq!(count("attempt_started"), count("attempt_ended"));
                let head = log.events().iter().any(|event| {
                    matches!(event, EventKind::CallEnded { outcome, .. } if *outcome != Outcome::Cancelled)
                });
                let bodies = match &came.result {
                    Some(Ok(_)) => 1,
                    Some(Err(_)) => 0,
                    None => u64::from(head),
                };
                prop_assert_eq!(count("body_ended"), bodies, "{:?}", log.names());
                sent +=
                    count("attempt_started") - count("breaker_refused") - count("limit_refused");
                queued += count("limit_queued");
            }
            // A caller may leave while its attempt waits in a queue: then it was not sent.
            let came = primary.count() + second.count();
            prop_assert!(came <= sent && sent <= came + queued, "{sent} {came} {queued}");
            prop_assert_eq!((primary.in_flight(), second.in_flight()), (0, 0));
            Ok(())
        })
    });
}

/// A failure with a number in it.
fn marked(status: u16, n: usize) -> Reply {
    let body = format!(r#"{{"error":{{"message":"failure {n}"}}}}"#);
    Reply::raw(status, "application/json", body).header("x-failure", &n.to_string())
}

#[test]
fn law_without_a_fallback_the_last_failure_is_the_callers_byte_for_byte() {
    let status =
        prop::sample::select(vec![400, 401, 404, 408, 413, 418, 429, 500, 501, 502, 503, 529]);
    let failures = prop::collection::vec(status, 1..6);
    let opens = prop::option::of(1..6_u32);
    check_property(
        200,
        (failures, opens, any::<bool>(), any::<u64>()),
        |(statuses, opens, stream, seed)| {
            in_virtual_time(async {
                let replies = statuses.iter().enumerate().map(|(n, status)| marked(*status, n));
                let primary =
                    Provider::new("primary").replies(replies.clone()).always(Reply::hang());
                let breaker =
                    BreakerPolicy::default().consecutive_failures(opens).min_calls(u32::MAX);
                let retry = RetryPolicy::default().retries(statuses.len() as u32 - 1).seed(seed);
                let profile = Profile::interactive().breaker(breaker).retry(retry);
                let client = over(Client::builder().profile(profile), [&primary]);
                let answer = match client.send(chat(stream)).await {
                    Ok(response) => read(response).await,
                    Err(error) => return Err(TestCaseError::fail(format!("{error:?}"))),
                };
                let last = primary.count() as usize - 1;
                prop_assert_eq!(answer.status.as_u16(), statuses[last]);
                prop_assert_eq!(&answer.headers["x-failure"], &last.to_string());
                let expected = format!(r#"{{"error":{{"message":"failure {last}"}}}}"#);
                prop_assert_eq!(answer.bytes(), expected.as_bytes());
                // The retries stopped for a reason: no call fails that an allowed retry could have helped.
                let again = answer.verdict.unwrap().is_retryable();
                let stopped = last + 1 == statuses.len()
                    || opens.is_some_and(|most| last + 1 >= most as usize);
                prop_assert!(!again || stopped, "{last} of {statuses:?}");
                Ok(())
            })
        },
    );
}

#[test]
fn law_an_answer_is_the_providers_byte_for_byte_or_an_error() {
    check_property(
        200,
        (any_reply(), any::<bool>(), any::<bool>()),
        |(reply, stream, complete)| {
            in_virtual_time(async {
                let bare = Provider::new("primary").always(reply.clone());
                let direct = async {
                    Ok::<_, evenkeel::Error>(read(bare.oneshot(chat(stream)).await?).await)
                };
                // A reply that hangs is silent for longer than any limit.
                let direct = timeout(secs(36_000), direct).await.ok().and_then(Result::ok);
                let primary = Provider::new("primary").always(reply);
                let commit =
                    if complete { CommitPolicy::Complete } else { CommitPolicy::FirstContent };
                let classify = ClassifyPolicy::default().commit(commit);
                let builder = Client::builder().profile(Profile::interactive().classify(classify));
                let Ok(response) = over(builder, [&primary]).send(chat(stream)).await else {
                    return Ok(());
                };
                let answer = read(response).await;
                let (bytes, whole) = match &direct {
                    Some(direct) => (direct.bytes(), direct.error.is_none()),
                    None => return Ok(()),
                };
                prop_assert!(bytes.starts_with(&answer.bytes()), "no byte is made up or left out");
                if answer.error.is_none() && whole {
                    prop_assert_eq!(answer.bytes(), bytes, "nothing is missing at its end");
                    prop_assert_eq!(answer.headers, direct.unwrap().headers);
                }
                Ok(())
            })
        },
    );
}

#[test]
fn law_extra_attempts_stay_within_the_budget_of_each_route() {
    check_property(
        40,
        (prop::collection::vec(any_reply(), 1..60), any::<u64>()),
        |(replies, seed)| {
            in_virtual_time(async {
                fastrand::seed(seed);
                let primary = Provider::new("primary").replies(replies);
                let off = BreakerPolicy::default()
                    .consecutive_failures(None)
                    .failure_ratio(None)
                    .slow_ratio(None);
                let retry = RetryPolicy::default().retries(5).seed(seed);
                let profile = Profile::interactive().breaker(off).retry(retry);
                let client = over(Client::builder().profile(profile), [&primary]);
                let mut calls = 0;
                while calls < 40 {
                    calls += 1;
                    if let Ok(response) = client.send(chat(calls % 2 == 0)).await {
                        read(response).await;
                    }
                    // An exhausted quota opens the breaker whatever is switched off: then a call sends nothing.
                    let extra = primary.count().saturating_sub(calls);
                    prop_assert!(extra <= 10 + calls / 5, "{extra} of {calls}");
                }
                Ok(())
            })
        },
    );
}
