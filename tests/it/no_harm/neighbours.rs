//! The law of neighbours: the calls of one caller do not change the results of another.
//!
//! B's calls are the same with and without A beside them, on one client. B's results are compared call by call: which target
//! answered, with which key, or how it failed. The result of an attempt depends only on the number of its call, so no tolerance
//! is needed. With a fallback, the jitter of a wait can decide which of the two targets answers: either counts as an answer then.
//!
//! A differs from B by its credential, its model, its operation, or its requests. A's failures can then apply to A only: a key
//! that is wrong or out of quota does not affect another key, and an expired file does not affect other requests with the same
//! key. A has short deadlines, sends huge bodies, bodies that are not JSON, or unknown headers; the listener beside A panics at
//! each event.

use std::time::Duration;

use evenkeel::{Client, Request, cache::CachePolicy, context::Deadline, telemetry::Event};
use futures_util::future::join;
use proptest::prelude::*;

use super::{
    law,
    simulation::{Act, Attempt, Came, Got, Traffic, World, between, draw, play},
};
use crate::support::{ms, secondary, secs};

/// The difference between A and B.
#[derive(Clone, Copy, Debug)]
enum Other {
    Key,
    /// Each of its calls has another key.
    Keys,
    Model,
    Operation,
    Request,
}

/// The failure of A's calls.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// The provider answers with this status and body.
    Says(u16, &'static str),
    Hangs,
    /// A has less time than an answer takes.
    Hurry(Duration),
    /// A sends that many bytes.
    Huge(usize),
    /// A's body is not a question.
    Body(&'static [u8]),
    /// A sends that header.
    Header(&'static str, &'static str),
}

#[derive(Clone, Debug)]
struct Two {
    other: Other,
    fate: Fate,
    rate_a: f64,
    rate_b: f64,
    takes: Duration,
    setting: Setting,
    seed: u64,
}

/// The client of both.
#[derive(Clone, Copy, Debug)]
struct Setting {
    cache: bool,
    fallback: bool,
    stream: bool,
}

const KEY: &str = r#"{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}"#;
const QUOTA: &str = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
const DOWN: &str = r#"{"error":{"message":"The server had an error","type":"server_error"}}"#;
const MODEL: &str = r#"{"error":{"message":"The model does not exist","type":"invalid_request_error","code":"model_not_found"}}"#;
const FILE: &str = r#"{"error":{"code":403,"message":"You do not have permission to access the File","status":"PERMISSION_DENIED"}}"#;
const SCOPE: &str = r#"{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.write","type":"invalid_request_error"}}"#;
const FIELD: &str = r#"{"error":{"message":"Unknown parameter","type":"invalid_request_error"}}"#;
const LONG: &str = r#"{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}"#;
const MONEY: &str =
    r#"{"error":{"message":"This request requires more credits, or fewer max_tokens","code":402}}"#;

const BODIES: [&[u8]; 6] = [
    b"",
    b"not json",
    b"{\"model\":",
    b"\xff\xfe\x00{}",
    b"{\"model\":{\"a\":[[[[[[[[[[[[1]]]]]]]]]]]]},\"messages\":7,\"stream\":\"yes\"}",
    b"{\"model\":\"m\\nFAKE\\u001b[31m\",\"max_tokens\":1000000000,\"messages\":[]}",
];
const HEADERS: [(&str, &str); 8] = [
    ("idempotency-key", "the-same"),
    ("cache-control", "no-store"),
    ("x-forwarded-user", "key-b"),
    ("cookie", "session=of-b"),
    ("x-ratelimit-remaining-requests", "0"),
    ("retry-after", "3600"),
    ("expect", "100-continue"),
    ("x-stainless-retry-count", "999999999999999999999"),
];

fn fate(other: Other) -> BoxedStrategy<Fate> {
    let mut says = vec![(400, FIELD), (400, LONG), (403, FILE), (402, MONEY)];
    match other {
        Other::Key => says.extend([(401, KEY), (429, QUOTA), (503, DOWN), (404, MODEL)]),
        // If the keys of many callers each fail with 503, it is an outage.
        Other::Keys => says.extend([(401, KEY), (429, QUOTA), (404, MODEL)]),
        Other::Model => says.extend([(404, MODEL), (503, DOWN)]),
        Other::Operation => says.extend([(401, SCOPE), (500, DOWN)]),
        Other::Request => (),
    }
    let says = prop::sample::select(says).prop_map(|(status, text)| Fate::Says(status, text));
    let own = prop_oneof![
        6 => says,
        2 => (100..2_500_u64).prop_map(|limit| Fate::Hurry(ms(limit))),
        1 => (1_000..20_000_usize).prop_map(Fate::Huge),
        2 => prop::sample::select(BODIES.to_vec()).prop_map(Fate::Body),
        2 => prop::sample::select(HEADERS.to_vec()).prop_map(|(name, value)| Fate::Header(name, value)),
    ];
    match other {
        Other::Key | Other::Model => prop_oneof![9 => own, 1 => Just(Fate::Hangs)].boxed(),
        Other::Keys | Other::Operation | Other::Request => own.boxed(),
    }
}

fn two() -> impl Strategy<Value = Two> {
    let others = vec![Other::Key, Other::Keys, Other::Model, Other::Operation, Other::Request];
    let fates = prop::sample::select(others).prop_flat_map(|other| (Just(other), fate(other)));
    let setting = (any::<bool>(), any::<bool>(), any::<bool>())
        .prop_map(|(cache, fallback, stream)| Setting { cache, fallback, stream });
    (fates, 0.2..4.0_f64, 0.05..1.0_f64, 200..3_000_u64, setting, any::<u64>()).prop_map(
        |((other, fate), rate_a, rate_b, takes, setting, seed)| Two {
            other,
            fate,
            rate_a,
            rate_b,
            takes: ms(takes),
            setting,
            seed,
        },
    )
}

/// A's calls have numbers from this one on.
const A: u64 = 1_000_000;
/// The share of B's attempts that fail, so that it needs its retries.
const FAILS: f64 = 0.05;
/// The duration of the calls.
const LONG_ENOUGH: Duration = Duration::from_secs(120);
/// The number of questions.
const QUESTIONS: u64 = 7;

fn request(path: &str, key: &str, body: Vec<u8>) -> Request {
    let request = http::Request::post(format!("http://primary{path}"));
    let request = request.header("content-type", "application/json");
    request.header("authorization", format!("Bearer {key}")).body(body.into()).unwrap()
}

fn question(model: &str, stream: bool, text: &str) -> Vec<u8> {
    let message = format!(r#"[{{"role":"user","content":"{text}"}}]"#);
    format!(r#"{{"model":"{model}","stream":{stream},"messages":{message}}}"#).into_bytes()
}

impl Two {
    fn of_b(&self, call: u64) -> Request {
        let text = format!("where is parcel {}?", call % QUESTIONS);
        request("/v1/chat/completions", "key-b", question("m", self.setting.stream, &text))
    }

    fn of_a(&self, call: u64) -> Request {
        let (mut path, mut key, mut model) = ("/v1/chat/completions", "key-b".to_owned(), "m");
        // B's question, if A is a different caller.
        let mut text = format!("where is parcel {}?", call % QUESTIONS);
        match self.other {
            Other::Key => key = "key-a".into(),
            Other::Keys => key = format!("key-{call}"),
            Other::Model => model = "other",
            Other::Operation => path = "/v1/responses",
            Other::Request => text = "read my file".into(),
        }
        let body = match self.fate {
            Fate::Huge(bytes) => question(model, self.setting.stream, &"x".repeat(bytes)),
            Fate::Body(body) => body.to_vec(),
            _ => question(model, self.setting.stream, &text),
        };
        let mut request = request(path, &key, body);
        match self.fate {
            Fate::Hurry(limit) => {
                let limit = limit.min(self.takes / 2);
                request.extensions_mut().insert(Deadline::within(limit));
            }
            Fate::Header(name, value) => {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
            _ => (),
        }
        request
    }

    fn world(&self) -> World {
        let Self { fate, takes, seed, .. } = *self;
        World::new(move |it: Attempt| match fate {
            Fate::Says(status, text) if it.call >= A => Act::Says(status, text),
            Fate::Hangs if it.call >= A => Act::Hangs,
            _ if draw(seed, it) < FAILS => Act::Status(503, ms(200)),
            _ => Act::Answers(takes),
        })
    }

    fn client(&self, beside_a: bool) -> Client {
        let mut builder = Client::builder();
        if self.setting.cache {
            builder = builder.cache(CachePolicy::new().serve_fresh_for(secs(20)).coalesce(true));
        }
        if self.setting.fallback {
            builder = builder.fallback(secondary());
        }
        if beside_a {
            // Without the message that a panic prints.
            builder = builder.observe(|_: &Event| std::panic::resume_unwind(Box::new("listener")));
        }
        let takes = self.takes;
        let second = World::new(move |_| Act::Answers(takes));
        builder.build_with(between(&self.world(), &second)).unwrap()
    }

    /// B's results.
    fn b(&self, beside_a: bool) -> Vec<Came> {
        play(self.seed, async {
            let client = self.client(beside_a);
            let b = Traffic::new(self.rate_b, LONG_ENOUGH, self.seed);
            let b = b.play(client.clone(), |call| self.of_b(call));
            if !beside_a {
                return b.await;
            }
            let a = Traffic::new(self.rate_a, LONG_ENOUGH, !self.seed);
            let a = Traffic { from: A, ..a }.play(client, |call| self.of_a(call));
            join(a, b).await.1
        })
    }

    fn b_is_the_same(&self) -> Result<(), TestCaseError> {
        let (alone, beside) = (self.b(false), self.b(true));
        let differs = alone.iter().zip(&beside).find(|(alone, beside)| {
            // A stored answer counts too: whether it is used depends on which of the two targets was tried before.
            let answer = |came: &Came| matches!(came.got, Got::Answer(_));
            let either = self.setting.fallback && answer(alone) && answer(beside);
            alone != beside && !either
        });
        prop_assert!(differs.is_none(), "{:?}", differs);
        prop_assert_eq!(alone.len(), beside.len());
        Ok(())
    }
}

#[test]
fn no_call_changes_with_a_neighbour() {
    law(24, two(), |two| two.b_is_the_same());
}

#[test]
fn an_expired_file_key_or_scope_of_one_caller_opens_the_route_for_no_other() {
    let setting = Setting { cache: false, fallback: false, stream: false };
    for (other, fate) in [
        (Other::Request, Fate::Says(403, FILE)),
        (Other::Request, Fate::Says(402, MONEY)),
        (Other::Operation, Fate::Says(401, SCOPE)),
        (Other::Operation, Fate::Says(500, DOWN)),
        (Other::Key, Fate::Says(401, KEY)),
        (Other::Keys, Fate::Says(401, KEY)),
        (Other::Key, Fate::Says(429, QUOTA)),
        (Other::Model, Fate::Says(404, MODEL)),
        (Other::Request, Fate::Hurry(secs(1))),
    ] {
        let two = Two { other, fate, rate_a: 2.0, rate_b: 0.5, takes: secs(3), setting, seed: 7 };
        let (alone, beside) = (two.b(false), two.b(true));
        assert!(alone.len() > 40 && alone == beside, "{two:?}: {beside:?}");
    }
}
