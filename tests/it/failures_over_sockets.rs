//! The sixteen failures over real sockets and the real clock, at a tenth of their length, through the client as users of reqwest
//! call it ([`Client::execute`]): unary and streamed, with the right result asserted and the wrong one excluded.
//!
//! `failures_default` has them at full length in virtual time, with the number of attempts.

use std::time::Duration;

use evenkeel::{
    Client, Profile,
    breaker::BreakerPolicy,
    classify::ClassifyPolicy,
    context::AttemptLog,
    dialect::UsageHandle,
    fallback::{Fallback, Target},
    outcome::{Outcome, Phase, Verdict},
    stream::{BodyEnd, CommitPolicy},
};
use evenkeel_testkit::{Fault, Provider, Reply, Server, WORDS, provider::AttemptState};
use http::StatusCode;
use reqwest::{Method, Request};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::support::{ms, read_reqwest, transport, words};

/// A tenth of a second: stands for a second at full length.
const TENTH: Duration = Duration::from_millis(100);
/// Longer than any limit: a test that waits for it hangs.
const LONG: Duration = Duration::from_secs(30);

/// A primary that fails as configured, a healthy fallback, and a client over both.
struct Stage {
    primary: Provider,
    second: Provider,
    client: Client,
    url: String,
    _servers: [Server; 2],
}

/// The result of a call.
#[derive(Debug)]
struct Came {
    status: StatusCode,
    text: String,
    /// How the body failed.
    error: Option<Outcome>,
    from: String,
    verdict: Verdict,
    usage: Option<u64>,
    attempt_log: AttemptLog,
    took: Duration,
}

/// [`Profile::interactive`] with a tenth of its times; the deadline leaves room for a busy machine. The providers are on this
/// machine, but no model has to be loaded.
fn profile(commit: CommitPolicy) -> Profile {
    let classify = ClassifyPolicy::default().commit(commit);
    let breaker = BreakerPolicy::default().slow_ratio(None);
    Profile::interactive()
        .breaker(breaker)
        .scaled(0.1)
        .deadline(60 * TENTH)
        .classify(classify)
        .cold_start(None)
}

// === impl Stage ===

impl Stage {
    async fn new(primary: Provider, commit: CommitPolicy) -> Self {
        let second = Provider::new("secondary");
        let start = async |provider: &Provider| {
            let server = Server::start(provider.clone()).await.unwrap();
            server.settle().await;
            server
        };
        let servers = [start(&primary).await, start(&second).await];
        let [url, other] = [0, 1].map(|n: usize| format!("{}/v1", servers[n].url()));
        let fallback = Fallback::target(Target::new(other).bearer("the-second-key").model("spare"));
        let client = Client::builder().profile(profile(commit)).fallback(fallback);
        let client = client.build_with_reqwest(transport()).unwrap();
        Self { primary, second, client, url, _servers: servers }
    }

    async fn once(reply: Reply) -> Self {
        Self::new(Provider::new("primary").replies([reply]), CommitPolicy::FirstContent).await
    }

    async fn always(reply: Reply) -> Self {
        Self::new(Provider::new("primary").always(reply), CommitPolicy::FirstContent).await
    }

    async fn complete(reply: Reply) -> Self {
        Self::new(Provider::new("primary").always(reply), CommitPolicy::Complete).await
    }

    async fn ask(&self, stream: bool) -> Came {
        let url = format!("{}/chat/completions", self.url).parse().unwrap();
        let mut request = Request::new(Method::POST, url);
        let usage = if stream { r#","stream_options":{"include_usage":true}"# } else { "" };
        let body = format!(
            r#"{{"model":"m","stream":{stream}{usage},"messages":[{{"role":"user","content":"where?"}}]}}"#
        );
        *request.body_mut() = Some(body.into());
        let begun = Instant::now();
        let read = async {
            let mut response = self.client.execute(request).await.unwrap();
            let extensions = response.extensions().clone();
            let served = response
                .headers()
                .get("x-served-by")
                .or(response.headers().get("evenkeel-served-by"));
            let from = served.map_or(String::new(), |name| name.to_str().unwrap().into());
            let (text, error) = read_reqwest(&mut response).await;
            Came {
                status: response.status(),
                text,
                error,
                from,
                verdict: extensions.get::<Verdict>().unwrap().clone(),
                usage: extensions.get().and_then(UsageHandle::get).map(|tokens| tokens.output),
                attempt_log: extensions.get::<AttemptLog>().unwrap().clone(),
                took: begun.elapsed(),
            }
        };
        timeout(LONG, read).await.expect("it ends")
    }

    /// The number of attempts that each of the two has received.
    fn attempts(&self) -> [u64; 2] {
        [self.primary.count(), self.second.count()]
    }
}

// === impl Came ===

impl Came {
    #[track_caller]
    fn is_whole(&self) {
        assert_eq!((self.status.as_u16(), self.error), (200, None), "{:?}", self.attempt_log);
        assert_eq!(words(&self.text), WORDS);
        assert_eq!(self.attempt_log.ending(), Some(BodyEnd::Done));
    }

    /// Asserts that a part of an answer never looks like a whole one.
    #[track_caller]
    fn is_a_clear_error(&self, expected: Outcome) {
        assert_eq!(self.error, Some(expected), "{:?}", self.attempt_log);
        assert_ne!(words(&self.text), WORDS);
        assert_eq!(self.attempt_log.ending(), Some(expected.into()));
    }
}

/// Streamed and unary at once, because most of the time is waiting.
async fn both(play: impl AsyncFn(bool)) {
    tokio::join!(play(true), play(false));
}

/// Expects a whole answer although the primary sends this reply once, and these numbers of attempts.
async fn whole_after(reply: Reply, attempts: [u64; 2]) {
    let reply = &reply;
    both(async |stream| {
        let stage = Stage::once(reply.clone()).await;
        stage.ask(stream).await.is_whole();
        assert_eq!(stage.attempts(), attempts, "{stream}");
    })
    .await;
}

/// The same for a primary that always sends the reply.
async fn whole_in_spite_of(reply: Reply, attempts: [u64; 2]) {
    let reply = &reply;
    both(async |stream| {
        let stage = Stage::always(reply.clone()).await;
        let came = stage.ask(stream).await;
        came.is_whole();
        assert_eq!((came.from.as_str(), stage.attempts()), ("secondary", attempts), "{stream}");
    })
    .await;
}

#[tokio::test]
async fn a_rate_limit_with_a_wait_is_waited_for() {
    both(async |stream| {
        let stage = Stage::once(Reply::rate_limited(Some(2 * TENTH))).await;
        stage.ask(stream).await.is_whole();
        let attempts = stage.primary.attempts();
        assert_eq!(stage.attempts(), [2, 0]);
        assert!(attempts[1].at - attempts[0].at >= ms(180), "{stream}");
    })
    .await;
}

#[tokio::test]
async fn a_rate_limit_without_a_wait_is_backed_off_from_and_then_left() {
    both(async |stream| {
        let stage = Stage::always(Reply::rate_limited(None)).await;
        let came = stage.ask(stream).await;
        came.is_whole();
        let at: Vec<_> = stage.primary.attempts().iter().map(|attempt| attempt.at).collect();
        assert!((2..=4).contains(&at.len()) && stage.second.count() == 1, "{:?}", stage.attempts());
        // Jitter may make a wait short, but never zero.
        assert!(at.windows(2).all(|two| two[1] - two[0] >= ms(5)), "{at:?}");
        assert_eq!(came.attempt_log.attempts()[0].outcome.name(), "rate_limited");
    })
    .await;
}

#[tokio::test]
async fn a_single_500_is_retried_on_the_same_target() {
    whole_after(Reply::status(500), [2, 0]).await;
}

#[tokio::test]
async fn a_503_that_stays_is_left_for_the_fallback() {
    whole_in_spite_of(Reply::status(503), [3, 1]).await;
}

#[tokio::test]
async fn a_reset_before_any_byte_is_retried_once() {
    whole_after(Reply::reset(), [2, 0]).await;
    whole_in_spite_of(Reply::reset(), [2, 1]).await;
    // The same for a connection that was closed in order.
    whole_after(Reply::answer().with(Fault::Closed), [2, 0]).await;
}

#[tokio::test]
async fn a_silent_provider_is_asked_once() {
    both(async |stream| {
        let stage = Stage::always(Reply::hang()).await;
        let came = stage.ask(stream).await;
        came.is_whole();
        assert_eq!(stage.attempts(), [1, 1], "{stream}");
        assert!(came.took < 100 * TENTH, "{:?}", came.took);
        assert!(matches!(came.attempt_log.attempts()[0].outcome, Outcome::TimedOut { .. }));
        assert_eq!(
            stage.primary.attempts()[0].state,
            AttemptState::Cancelled,
            "nobody is left waiting"
        );
    })
    .await;
}

#[tokio::test]
async fn a_late_first_token_is_not_waited_for() {
    let late = Reply::answer().first_content_after(LONG);
    let stage = Stage::always(late).await;
    let came = stage.ask(true).await;
    came.is_whole();
    assert_eq!((came.from.as_str(), stage.attempts()), ("secondary", [1, 1]));
    let first = came.attempt_log.attempts()[0].outcome;
    assert_eq!(first, Outcome::TimedOut { phase: Phase::FirstEvent });
    // Comments in between change nothing.
    let busy = Reply::answer().with(Fault::Comments { every: TENTH, count: u32::MAX });
    both(async |stream| {
        let stage = Stage::always(busy.clone()).await;
        stage.ask(stream).await.is_whole();
        assert_eq!(stage.attempts(), [1, 1], "{stream}");
    })
    .await;
}

fn dies() -> Reply {
    Reply::answer().with(Fault::Cut { words: 40 })
}

#[tokio::test]
async fn an_answer_that_dies_is_a_clear_error_or_whole() {
    let stage = Stage::once(dies()).await;
    let came = stage.ask(true).await;
    came.is_a_clear_error(Outcome::Truncated);
    assert_eq!((words(&came.text).split_whitespace().count(), stage.attempts()), (40, [1, 0]));
    stage.ask(true).await.is_whole();
    let stage = Stage::once(dies()).await;
    stage.ask(false).await.is_whole();
    assert_eq!(stage.attempts(), [2, 0]);

    both(async |stream| {
        let stage = Stage::complete(dies()).await;
        stage.ask(stream).await.is_whole();
        assert_eq!(stage.attempts(), [2, 1], "{stream}");
    })
    .await;
}

fn goes_silent() -> Reply {
    Reply::answer().with(Fault::Silence { words: 20, lasts: LONG })
}

#[tokio::test]
async fn silence_within_an_answer_is_noticed() {
    let stage = Stage::once(goes_silent()).await;
    let came = stage.ask(true).await;
    came.is_a_clear_error(Outcome::TimedOut { phase: Phase::Idle });
    assert!(came.took >= 15 * TENTH && came.took < 100 * TENTH, "{:?}", came.took);
    stage.ask(true).await.is_whole();
    assert_eq!(stage.attempts(), [2, 0], "healthy afterwards");

    both(async |stream| {
        let stage = Stage::complete(goes_silent()).await;
        stage.ask(stream).await.is_whole();
        assert_eq!(stage.attempts(), [1, 1], "{stream}");
    })
    .await;
}

#[tokio::test]
async fn invalid_json_is_never_an_answer() {
    let invalid = Reply::answer().with(Fault::InvalidEvent { event: 10 });
    let stage = Stage::once(invalid.clone()).await;
    stage.ask(true).await.is_a_clear_error(Outcome::Malformed);
    let stage = Stage::once(invalid.clone()).await;
    stage.ask(false).await.is_whole();
    both(async |stream| {
        let stage = Stage::complete(invalid.clone()).await;
        stage.ask(stream).await.is_whole();
        assert_eq!(stage.attempts(), [2, 1], "{stream}");
    })
    .await;
}

#[tokio::test]
async fn an_answer_without_its_sentinel_is_whole_with_its_usage() {
    for commit in [CommitPolicy::FirstContent, CommitPolicy::Complete] {
        let reply = Reply::answer().with(Fault::NoDone);
        let stage = Stage::new(Provider::new("primary").always(reply), commit).await;
        let came = stage.ask(true).await;
        came.is_whole();
        assert!(!came.text.contains("[DONE]") && came.text.contains(r#""completion_tokens":60"#));
        assert_eq!(stage.attempts(), [1, 0]);
    }
}

#[tokio::test]
async fn a_request_too_large_goes_once_to_each_target() {
    whole_in_spite_of(Reply::context_length_exceeded(), [1, 1]).await;
}

#[tokio::test]
async fn a_refusal_reaches_the_caller_and_is_not_routed_around() {
    both(async |stream| {
        let stage = Stage::always(Reply::content_policy_violation()).await;
        let came = stage.ask(stream).await;
        assert_eq!((came.status.as_u16(), came.verdict.outcome()), (400, Outcome::Blocked));
        assert!(came.text.contains("content_policy_violation"), "{}", came.text);
        assert_eq!(stage.attempts(), [1, 0], "{stream}");
    })
    .await;
}

#[tokio::test]
async fn a_restart_is_clean_and_no_prefill_hides_the_failure() {
    both(async |stream| {
        let stage = Stage::complete(dies()).await;
        stage.ask(stream).await.is_whole();
        assert_eq!(stage.second.attempts()[0].messages, 1, "the question alone");

        let stage = Stage::complete(dies()).await;
        stage.second.set(Reply::error(400, "invalid_request_error", "assistant_prefill"));
        let url = format!("{}/chat/completions", stage.url).parse().unwrap();
        let mut request = Request::new(Method::POST, url);
        *request.body_mut() =
            Some(format!(r#"{{"model":"m","stream":{stream},"messages":[]}}"#).into());
        let error = timeout(LONG, stage.client.execute(request)).await.unwrap().unwrap_err();
        assert!(error.is_truncated(), "the first failure is the one that is seen: {error:?}");
    })
    .await;
}

#[tokio::test]
async fn the_primary_is_used_again_after_an_outage() {
    both(async |stream| {
        let down = Provider::new("primary").during(Duration::ZERO..60 * TENTH, Reply::status(503));
        let stage = Stage::new(down, CommitPolicy::FirstContent).await;
        let start = Instant::now();
        stage.primary.start_clock();
        for n in 0..14 {
            sleep_until(start + n * 4 * TENTH).await;
            stage.ask(stream).await.is_whole();
        }
        // 14 calls with three attempts each would be 42. On a machine so slow that the outage has ended, nothing is counted.
        if start.elapsed() < 60 * TENTH {
            assert!(stage.primary.count() <= 15, "{} attempts", stage.primary.count());
        }
        sleep_until(start + 60 * TENTH).await;
        let back = async {
            while stage.ask(stream).await.from != "primary" {
                sleep(TENTH / 2).await;
            }
        };
        timeout(LONG, back).await.expect("it goes back");
    })
    .await;
}

#[tokio::test]
async fn the_caller_sees_the_model_and_the_usage_of_the_target_that_answered() {
    both(async |stream| {
        let stage = Stage::always(Reply::status(503)).await;
        let came = stage.ask(stream).await;
        came.is_whole();
        assert!(came.text.contains(r#""model":"spare""#) && !came.text.contains(r#""model":"m""#));
        assert_eq!(came.usage, Some(60), "of that one only");
        let good = came.attempt_log.attempts().iter().filter(|a| a.outcome.is_success()).count();
        assert_eq!((good, came.attempt_log.served_by().as_deref()), (1, Some("spare")));
    })
    .await;
}
