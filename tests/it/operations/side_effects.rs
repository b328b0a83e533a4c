//! The property that repetitions create nothing twice and send no object to another account.

use proptest::prelude::*;

use super::*;

use crate::support::ms;

/// Requests that change something, that cost something, and that only compute; and whether they belong to an account.
const REQUESTS: [(&str, &str, &str, Does, bool); 14] = [
    ("POST", "/v1/batches", "{}", Does::Change, true),
    ("POST", "/v1/files", "x", Does::Change, true),
    ("DELETE", "/v1/files/f", "", Does::Change, true),
    ("POST", "/v1/responses", r#"{"conversation":"c","input":"hi"}"#, Does::Change, true),
    ("POST", "/v1/responses", r#"{"background":true,"input":"hi"}"#, Does::Change, true),
    ("POST", "/v1/fine_tuning/jobs", "{}", Does::Change, true),
    ("POST", "/v1/videos", "{}", Does::Change, true),
    ("PUT", "/v1/what/is/this", "{}", Does::Change, true),
    ("POST", "/v1/images/generations", "{}", Does::Cost, false),
    ("POST", "/v1/embeddings", "{}", Does::Compute, false),
    ("GET", "/v1/files/f", "", Does::Compute, true),
    ("POST", "/v1/responses", r#"{"previous_response_id":"r","input":"hi"}"#, Does::Compute, true),
    ("POST", "/v1/moderations", "{}", Does::Compute, false),
    ("POST", "/v1/completions", "{}", Does::Compute, false),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    Change,
    Cost,
    Compute,
}

/// A reply, and whether the provider has executed the request.
fn reply(n: usize) -> (Reply, bool) {
    match n {
        0 => (Reply::status(500), true),
        1 => (Reply::status(502), true),
        2 => (Reply::status(504), true),
        3 => (Reply::reset(), true),
        4 => (Reply::hang(), true),
        5 => (json(200, r#"{"id":"x"}"#).with(Fault::ResetAfter { bytes: 4 }), true),
        6 => (json(200, "{}"), true),
        7 => (Reply::status(503), false),
        8 => (Reply::rate_limited(Some(ms(20))), false),
        9 => (Reply::refused(), false),
        10 => (Reply::status(409), false),
        _ => (Reply::status(401), false),
    }
}

const REPLIES: usize = 12;

/// The clients: one that waits for recovery, one with equal keys, one with a fallback that takes all operations.
fn builder(kind: usize) -> ClientBuilder {
    let all = [
        Operation::Batches,
        Operation::Files,
        Operation::FineTuning,
        Operation::Videos,
        Operation::Chat,
        Operation::Unknown,
        Operation::Images,
        Operation::Embeddings,
    ];
    match kind {
        0 => Client::builder().fallback(secondary()),
        1 => keys(key).fallback(secondary()),
        2 => Client::builder().fallback(secondary().operations(all)),
        _ => Client::builder().profile(Profile::pipeline()).fallback(secondary()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn law_nothing_is_created_twice_and_no_object_of_an_account_leaves_it(
        request in 0..REQUESTS.len(), kind in 0..4_usize,
        first in prop::collection::vec(0..REPLIES, 1..6), second in prop::collection::vec(0..REPLIES, 1..6),
    ) {
        let (method, path, body, does, of_account) = REQUESTS[request];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (at_first, at_second) = runtime.block_on(async {
            // The last reply is repeated for all later attempts.
            let house = |name: &str, replies: &[usize]| {
                let last = reply(*replies.last().unwrap()).0;
                Provider::new(name).replies(replies.iter().map(|n| reply(*n).0)).always(last)
            };
            let (a, b) = (house("primary", &first), house("secondary", &second));
            let _ = call(&over(builder(kind), [&a, &b]), request_to(method, path, body)).await;
            (a.count() as usize, b.count() as usize)
        });
        let acts = |replies: &[usize], count: usize| {
            let last = replies.last().into_iter().cycle();
            replies.iter().chain(last).take(count).filter(|n| reply(**n).1).count()
        };
        let acts = acts(&first, at_first) + acts(&second, at_second);
        match does {
            Does::Change => prop_assert!(acts <= 1, "{acts} at {path}"),
            Does::Cost if kind != 2 => prop_assert!(acts <= 1, "{acts} at {path}"),
            Does::Cost | Does::Compute => {}
        }
        if of_account && kind != 2 {
            prop_assert_eq!(at_second, 0, "{} left its account", path);
        }
    }
}
