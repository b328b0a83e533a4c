//! The failures that depend on limits, with long limits: up to two retries, every limit 30 s, one fallback target.
//! `failures_default` has all sixteen with the defaults.

use std::time::Duration;

use evenkeel::{
    Client, Profile,
    classify::ClassifyPolicy,
    outcome::{Outcome, Phase},
    retry::RetryPolicy,
    stream::CommitPolicy,
    timeout::TimeoutPolicy,
};
use evenkeel_testkit::{Fault, Provider, Reply};
use tokio::time::sleep_until;

use crate::support::{Stage, ms, secs};

/// A stage with up to two retries, every limit 30 s, and a first token within 10 s.
fn stage_of(primary: Provider, commit: CommitPolicy) -> Stage {
    let limit = secs(30);
    // The first token has its own limit: without it, a first token after 20 s would be in time.
    let timeout = TimeoutPolicy::default().attempt(limit).first_event(secs(10)).idle(limit);
    let profile = Profile::interactive()
        .deadline(secs(90))
        .timeout(timeout)
        .retry(RetryPolicy::default().retries(2))
        .classify(ClassifyPolicy::default().commit(commit));
    Stage::with(primary, Client::builder().profile(profile))
}

fn always(reply: Reply) -> Stage {
    stage_of(Provider::new("primary").always(reply), CommitPolicy::FirstContent)
}

fn complete(reply: Reply) -> Stage {
    stage_of(Provider::new("primary").always(reply), CommitPolicy::Complete)
}

const FORMS: [bool; 2] = [true, false];

#[tokio::test(start_paused = true)]
async fn a_rate_limit_for_ever_is_at_most_six_attempts_and_four_in_three_seconds() {
    for stream in FORMS {
        let stage = always(Reply::rate_limited(None));
        stage.ask(stream).await.is_whole();
        let at: Vec<_> = stage.primary.attempts().iter().map(|attempt| attempt.at).collect();
        assert!(at.len() <= 6, "{at:?}");
        let early = at.iter().filter(|at| **at - stage.start <= secs(3)).count();
        assert!(early <= 4 && stage.second.count() == 1, "{at:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_provider_is_asked_once_and_left_before_a_hundred_seconds() {
    for stream in FORMS {
        let stage = always(Reply::answer().head_after(secs(120)));
        stage.ask(stream).await.is_whole();
        assert_eq!(stage.attempts(), [1, 1]);
        assert!(stage.start.elapsed() <= secs(30), "{:?}", stage.start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_token_after_twenty_seconds_is_answered_within_fifteen() {
    let stage = always(Reply::answer().first_content_after(secs(20)));
    stage.ask(true).await.is_whole();
    assert_eq!(stage.attempts(), [1, 1]);
    assert!(stage.start.elapsed() <= secs(15), "{:?}", stage.start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_cut_answer_is_never_a_success() {
    let dies = Reply::answer().with(Fault::Cut { words: 40 }).between_events(ms(50));
    let answer = always(dies.clone()).ask(true).await;
    assert!(answer.error.unwrap().is_truncated());
    for stream in FORMS {
        let stage = complete(dies.clone());
        stage.ask(stream).await.is_whole();
        assert_eq!(stage.attempts(), [2, 1], "what may be billed is repeated once");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_of_thirty_seconds_and_a_close_is_noticed_before_forty_five() {
    let silent = Reply::answer().with(Fault::Silence { words: 20, lasts: secs(30) });
    let stage = always(silent.clone());
    let answer = stage.ask(true).await;
    // The limit and the close come at once: either is a clear error.
    let error = answer.error.expect("a truncated success is wrong").outcome();
    assert!([Outcome::Truncated, Outcome::TimedOut { phase: Phase::Idle }].contains(&error));
    assert!(stage.start.elapsed() <= secs(45), "{:?}", stage.start.elapsed());
    stage.primary.set(Reply::answer());
    stage.ask(true).await.is_whole();

    // An answer that is not passed on is requested from another target: the silence lasts as long as the limit, whichever of the
    // two ends it.
    for (stream, commit) in [(true, CommitPolicy::Complete), (false, CommitPolicy::FirstContent)] {
        let stage = stage_of(Provider::new("primary").always(silent.clone()), commit);
        stage.ask(stream).await.is_whole();
        assert_eq!(stage.attempts(), [1, 1]);
        assert!(stage.start.elapsed() <= secs(45), "{:?}", stage.start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_a_minute_costs_no_answer_and_the_primary_is_used_again() {
    let down = Provider::new("primary").during(Duration::ZERO..secs(60), Reply::status(503));
    let stage = stage_of(down, CommitPolicy::FirstContent);
    let mut back = None;
    for n in 0..23 {
        sleep_until(stage.start + n * secs(4)).await;
        let answer = stage.ask(n % 2 == 0).await;
        answer.is_whole();
        if answer.from() == "primary" {
            back = back.or(Some(stage.start.elapsed()));
        }
    }
    let dead = stage.primary.attempts().iter().filter(|a| a.at - stage.start < secs(60)).count();
    assert!(dead <= 9, "{dead} attempts at a dead provider");
    assert!(back.expect("it goes back") <= secs(90), "{back:?}");
}
