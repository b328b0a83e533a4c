//! Each failure, for any client.

use std::time::Duration;

use bytes::Bytes;
use evenkeel::stream::CommitPolicy;
use evenkeel_clients::{Caller, How, Said, Stage, caller::TOOL, profile, stage::OTHER_MODEL};
use evenkeel_testkit::{Fault, Provider, Reply, WORDS};
use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};

const TENTH: Duration = Duration::from_millis(100);
/// Longer than any limit: a test that waits for it fails.
const LONG: Duration = Duration::from_secs(30);

/// Asks once with the client.
async fn ask<C: Caller>(stage: &Stage, commit: CommitPolicy, how: How) -> Result<Said, String> {
    C::new(stage.evenkeel(profile(commit)), &stage.url()).ask(how).await
}

/// Unary and streamed at once, because most of the time is waiting.
async fn both(way: impl AsyncFn(How)) {
    let [one, other] = How::TEXT;
    tokio::join!(way(one), way(other));
}

fn assert_whole(said: &Result<Said, String>, how: How) {
    match said {
        Ok(said) => assert_eq!(said.text, WORDS, "{how:?}"),
        Err(error) => panic!("{how:?}: {error}"),
    }
}

/// Plays the reply unary and streamed, with the first word committed. Expects the whole answer, and these numbers of attempts at
/// each of the two.
async fn whole_after<C: Caller>(reply: Reply, attempts: [u64; 2]) {
    both(async |how| {
        let stage = Stage::of([reply.clone()]).await;
        assert_whole(&ask::<C>(&stage, CommitPolicy::FirstContent, how).await, how);
        assert_eq!(stage.attempts(), attempts, "{how:?}");
    })
    .await;
}

/// The same for a primary that always sends the reply.
async fn whole_in_spite_of<C: Caller>(reply: Reply, attempts: [u64; 2]) {
    both(async |how| {
        let stage = Stage::always(reply.clone()).await;
        assert_whole(&ask::<C>(&stage, CommitPolicy::FirstContent, how).await, how);
        assert_eq!(stage.attempts(), attempts, "{how:?}");
    })
    .await;
}

pub async fn healthy_answers_arrive_as_they_are<C: Caller>() {
    for commit in [CommitPolicy::FirstContent, CommitPolicy::Complete] {
        for how in How::TEXT {
            let stage = Stage::of([]).await;
            let said = ask::<C>(&stage, commit, how).await.unwrap();
            assert_eq!(said.text, WORDS);
            assert_eq!((said.model.as_str(), said.usage), ("gpt-4o-mini", Some(60)));
            assert_eq!(stage.attempts(), [1, 0]);
        }
    }
}

const ARGUMENTS: [&str; 3] = [r#"{"num"#, r#"ber":"#, r#""42"}"#];

/// A tool call, as one body or in a number of pieces.
fn tool_call(how: How, pieces: usize) -> Reply {
    let call = |name, arguments: &str| json!([{"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}]);
    let chat = |kind: &str, place: &str, message, finish| json!({"id": "c", "object": kind, "created": 0, "model": "gpt-4o-mini", "choices": [{"index": 0, place: message, "finish_reason": finish}]});
    if !how.is_streamed() {
        let calls = call(Some(TOOL), &ARGUMENTS.concat());
        let message = json!({"role": "assistant", "content": null, "tool_calls": calls});
        let body = chat("chat.completion", "message", message, Some("tool_calls")).to_string();
        let end = if pieces == 0 { body.len() / 2 } else { body.len() };
        return Reply::raw(200, "application/json", body[..end].to_owned());
    }
    let chunk = |delta, finish: Option<&'static str>| {
        let chunk = chat("chat.completion.chunk", "delta", delta, finish);
        Bytes::from(format!("data: {chunk}\n\n"))
    };
    let mut events =
        vec![chunk(json!({"role": "assistant", "tool_calls": call(Some(TOOL), "")}), None)];
    for piece in ARGUMENTS {
        let calls = json!([{"index": 0, "function": {"arguments": piece}}]);
        events.push(chunk(json!({"tool_calls": calls}), None));
    }
    events.push(chunk(json!({}), Some("tool_calls")));
    events.push("data: [DONE]\n\n".into());
    events.truncate(if pieces == 0 { 3 } else { events.len() });
    Reply::pieces("text/event-stream", events)
}

pub async fn tools_are_called_as_they_are<C: Caller>() {
    for how in How::TOOLS {
        let stage = Stage::of([Reply::status(503), tool_call(how, usize::MAX)]).await;
        let said = ask::<C>(&stage, CommitPolicy::FirstContent, how).await.unwrap();
        assert_eq!(said.calls, [(TOOL.to_owned(), json!({"number": "42"}))], "{how:?}");
        assert!(stage.primary.attempts().iter().all(|attempt| attempt.tools), "{how:?}");
        assert_eq!(stage.attempts(), [2, 0]);
    }
}

pub async fn a_cut_call_of_a_tool_is_never_called<C: Caller>() {
    for how in How::TOOLS {
        let stage = Stage::of([tool_call(how, 0), tool_call(how, usize::MAX)]).await;
        let said = ask::<C>(&stage, CommitPolicy::FirstContent, how).await;
        assert_eq!(said.is_err(), how.is_streamed(), "{how:?}: {said:?}");

        let stage = Stage::of([tool_call(how, 0), tool_call(how, usize::MAX)]).await;
        let said = ask::<C>(&stage, CommitPolicy::Complete, how).await.unwrap();
        assert_eq!(said.calls, [(TOOL.to_owned(), json!({"number": "42"}))], "{how:?}");
        assert_eq!(stage.attempts(), [2, 0]);
    }
}

pub async fn a_rate_limit_with_a_hint_is_waited_out<C: Caller>() {
    both(async |how| {
        let stage = Stage::of([Reply::rate_limited(Some(2 * TENTH))]).await;
        assert_whole(&ask::<C>(&stage, CommitPolicy::FirstContent, how).await, how);
        let attempts = stage.primary.attempts();
        assert_eq!((attempts.len(), stage.fallback.count()), (2, 0), "{how:?}");
        // A timer never fires early, so this holds on a slow machine as well.
        assert!(attempts[1].at - attempts[0].at >= 2 * TENTH - TENTH / 5, "{how:?}");
    })
    .await;
}

pub async fn a_rate_limit_without_end_moves_to_the_fallback<C: Caller>() {
    whole_in_spite_of::<C>(Reply::rate_limited(None), [3, 1]).await;
}

pub async fn one_server_error_is_retried_on_the_same_target<C: Caller>() {
    whole_after::<C>(Reply::status(500), [2, 0]).await;
}

pub async fn an_outage_moves_to_the_fallback<C: Caller>() {
    whole_in_spite_of::<C>(Reply::status(503), [3, 1]).await;
}

pub async fn a_connection_that_is_reset_is_asked_again<C: Caller>() {
    whole_after::<C>(Reply::reset(), [2, 0]).await;
    // Each attempt may be charged, so there is no third one.
    whole_in_spite_of::<C>(Reply::reset(), [2, 1]).await;
}

pub async fn a_silent_provider_is_asked_once<C: Caller>() {
    whole_in_spite_of::<C>(Reply::hang(), [1, 1]).await;
}

pub async fn a_late_first_token_moves_to_the_fallback<C: Caller>() {
    whole_in_spite_of::<C>(Reply::answer().first_content_after(LONG), [1, 1]).await;
}

/// A streamed answer that fails after its first word was committed: the client reports an error, and no attempt follows. An
/// unstreamed answer is retried.
async fn told<C: Caller>(fault: Fault) {
    both(async |how| {
        let stage = Stage::of([Reply::answer().with(fault.clone())]).await;
        let client = C::new(stage.evenkeel(profile(CommitPolicy::FirstContent)), &stage.url());
        let said = client.ask(how).await;
        if how.is_streamed() {
            let said = said.expect_err("a part of an answer is no success");
            assert_eq!(stage.attempts(), [1, 0], "{said}");
        } else {
            assert_whole(&said, how);
        }
        assert_whole(&client.ask(how).await, how);
    })
    .await;
}

/// The same with no commit before the end: a whole answer, from either target.
async fn made_good<C: Caller>(fault: Fault, attempts: [u64; 2]) {
    both(async |how| {
        let stage = Stage::always(Reply::answer().with(fault.clone())).await;
        assert_whole(&ask::<C>(&stage, CommitPolicy::Complete, how).await, how);
        assert_eq!(stage.attempts(), attempts, "{how:?}");
    })
    .await;
}

pub async fn an_answer_that_is_cut_is_never_a_success<C: Caller>() {
    told::<C>(Fault::Cut { words: 40 }).await;
}

pub async fn committed_when_complete_a_cut_answer_is_made_good<C: Caller>() {
    made_good::<C>(Fault::Cut { words: 40 }, [2, 1]).await;
}

fn silence() -> Fault {
    Fault::Silence { words: 20, lasts: LONG }
}

pub async fn a_silence_within_the_answer_is_noticed<C: Caller>() {
    told::<C>(silence()).await;
}

pub async fn committed_when_complete_a_silence_is_made_good<C: Caller>() {
    made_good::<C>(silence(), [1, 1]).await;
}

pub async fn an_event_that_is_not_json_is_never_an_answer<C: Caller>() {
    told::<C>(Fault::InvalidEvent { event: 10 }).await;
    made_good::<C>(Fault::InvalidEvent { event: 10 }, [2, 1]).await;
}

pub async fn an_answer_without_its_sentinel_is_whole<C: Caller>() {
    for commit in [CommitPolicy::FirstContent, CommitPolicy::Complete] {
        let stage = Stage::always(Reply::answer().with(Fault::NoDone)).await;
        let said = ask::<C>(&stage, commit, How::Streamed).await.unwrap();
        assert_eq!((said.text.as_str(), said.usage), (WORDS, Some(60)));
        assert_eq!(stage.attempts(), [1, 0]);
    }
}

pub async fn a_context_that_is_too_long_goes_to_the_larger_target_once<C: Caller>() {
    whole_in_spite_of::<C>(Reply::context_length_exceeded(), [1, 1]).await;
}

pub async fn a_blocked_prompt_is_reported_and_not_routed_around<C: Caller>() {
    both(async |how| {
        let stage = Stage::always(Reply::content_policy_violation()).await;
        let error = ask::<C>(&stage, CommitPolicy::FirstContent, how).await.unwrap_err();
        assert!(error.contains("content_policy_violation") && error.contains("400"), "{error}");
        assert_eq!(stage.attempts(), [1, 0], "{how:?}");
    })
    .await;
}

pub async fn no_prefill_reaches_a_target_that_declares_none<C: Caller>() {
    let cut = Reply::answer().with(Fault::Cut { words: 40 });
    both(async |how| {
        let stage = Stage::always(cut.clone()).await;
        assert_whole(&ask::<C>(&stage, CommitPolicy::Complete, how).await, how);
        // Only the question: the fallback would reject a second message, of the assistant.
        assert_eq!(stage.fallback.attempts()[0].messages, 1, "{how:?}");
    })
    .await;
}

pub async fn the_primary_is_used_again_after_an_outage<C: Caller>() {
    let provider = Provider::new("primary").during(Duration::ZERO..60 * TENTH, Reply::status(503));
    let stage = Stage::with(provider).await;
    let client = C::new(stage.evenkeel(profile(CommitPolicy::FirstContent)), &stage.url());
    let start = Instant::now();
    stage.primary.start_clock();
    let mut during = 0;
    for n in 0..20 {
        sleep_until(start + n * 4 * TENTH).await;
        if start.elapsed() < 55 * TENTH {
            assert_whole(&client.ask(How::Streamed).await, How::Streamed);
            during = stage.primary.count();
        } else {
            assert_whole(&client.ask(How::Unary).await, How::Unary);
        }
    }
    // 14 calls with three attempts each would be 42; the breaker lets only a few probes through.
    assert!(during <= 20, "{during} attempts on a dead primary");
    // Used again within 3 s of its recovery: 20 calls have lasted 7.6 s, and the ramp lets a share through.
    let mut back = false;
    for _ in 0..60 {
        let said = client.ask(How::Unary).await.unwrap();
        back |= said.model != OTHER_MODEL;
        if back {
            break;
        }
        sleep(TENTH / 2).await;
    }
    assert!(back, "the primary is never used again");
}

pub async fn the_answer_names_the_model_that_gave_it<C: Caller>() {
    both(async |how| {
        let stage = Stage::always(Reply::status(503)).await;
        let said = ask::<C>(&stage, CommitPolicy::FirstContent, how).await.unwrap();
        assert_eq!((said.model.as_str(), said.usage), (OTHER_MODEL, Some(60)), "{how:?}");
        let asked = stage.fallback.attempts()[0].model.clone();
        assert_eq!(asked.as_deref(), Some(OTHER_MODEL), "{how:?}");
    })
    .await;
}
