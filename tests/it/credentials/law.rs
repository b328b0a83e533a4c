//! Any order of calls, cancellations, expiries and rejections.

use std::collections::BTreeSet;

use evenkeel::{Body, Response};
use http::StatusCode;
use proptest::prelude::*;

use super::*;
use crate::support::{check_property, in_virtual_time};

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Happening {
    /// Several calls at a time, whose callers leave after that time, if any.
    Calls { count: usize, leave: Option<u64> },
    /// Time passes, in seconds.
    Pass(u64),
    /// The provider rejects all tokens so far.
    Revoke,
    /// The source fails or hangs, or is well again.
    Source(Mood),
}

fn any_happening() -> impl Strategy<Value = Happening> {
    let leave = prop::option::weighted(0.3, 0..400_u64);
    prop_oneof![
        5 => (1..5_usize, leave).prop_map(|(count, leave)| Happening::Calls { count, leave }),
        4 => prop_oneof![0..20_u64, 0..200_u64].prop_map(Happening::Pass),
        1 => Just(Happening::Revoke),
        1 => prop::sample::select(vec![Mood::Fails, Mood::Hangs, Mood::Panics]).prop_map(Happening::Source),
        2 => Just(Happening::Source(Mood::Issues)),
    ]
}

/// The least time between two fetches: between the end of a failed one and the next.
const LEAST: Duration = Duration::from_millis(500);

/// The state of a provider that accepts each token for its lifetime, until it is revoked.
#[derive(Default)]
struct Gate {
    revoked: BTreeSet<String>,
    /// The tokens that were sent after their end, while the source was well.
    expired: Vec<String>,
}

async fn play(lifetime: Option<u64>, happenings: Vec<Happening>) -> Result<(), TestCaseError> {
    let issuer = Issuer::new(Mood::Issues).lifetime(lifetime.map(secs));
    let gate = Arc::new(Mutex::new(Gate::default()));
    let (at, fetched) = (gate.clone(), issuer.clone());
    let upstream = service_fn(move |request: Request| {
        let token = request.headers()[AUTHORIZATION].to_str().unwrap().to_owned();
        let number: usize = token.rsplit('-').next().unwrap().parse().unwrap();
        let (issued, mut gate) = (fetched.0.lock().unwrap(), at.lock().unwrap());
        let age = issued.fetches[number - 1].elapsed().saturating_sub(issued.takes);
        if issued.lifetime.is_some_and(|lifetime| age > lifetime) {
            gate.expired.push(token.clone());
        }
        let status = match gate.revoked.contains(&token) {
            true => StatusCode::UNAUTHORIZED,
            false => StatusCode::OK,
        };
        let response = http::Response::builder().status(status);
        let response: Response = response.body(Body::from("{\"ok\":true}")).unwrap();
        std::future::ready(Ok::<_, Error>(response))
    });
    let builder = Client::builder().profile(without_retries());
    let builder = builder.primary(target("primary", &issuer.policy()));
    let client = builder.build_with(upstream).unwrap();
    let get = || http::Request::get("http://primary/v1/anything").body(Default::default()).unwrap();
    let mut calls = 0;
    for happening in happenings {
        match happening {
            Happening::Calls { count, leave } => {
                calls += count;
                let leave = leave.map_or(secs(3600), ms);
                join_all((0..count).map(|_| timeout(leave, client.send(get())))).await;
            }
            Happening::Pass(passed) => sleep(secs(passed)).await,
            Happening::Revoke => {
                let issued = issuer.fetches();
                let all = (1..=issued).map(|n| format!("Bearer token-{n}"));
                gate.lock().unwrap().revoked.extend(all);
            }
            Happening::Source(mood) => issuer.becomes(mood),
        }
    }
    let fetches = issuer.0.lock().unwrap().fetches.clone();
    let gaps = fetches.windows(2).map(|two| two[1] - two[0]);
    prop_assert!(gaps.clone().all(|gap| gap >= LEAST), "{:?}", gaps.collect::<Vec<_>>());
    // A call needs one fetch at most, and one more after a rejection.
    prop_assert!(fetches.len() <= 2 * calls, "{} fetches for {calls} calls", fetches.len());
    prop_assert_eq!(&gate.lock().unwrap().expired, &Vec::<String>::new());
    // The source is well, the token is new: the next call is answered.
    issuer.becomes(Mood::Issues);
    sleep(secs(200)).await;
    let answer = client.send(get()).await;
    prop_assert_eq!(answer.unwrap().status(), StatusCode::OK);
    Ok(())
}

#[test]
fn law_few_fetches_no_expired_token_and_an_answer_once_the_source_is_well() {
    let lifetime = prop::option::of(prop::sample::select(vec![20_u64, 60, 300, 3600]));
    let happenings = prop::collection::vec(any_happening(), 1..40);
    check_property(200, (lifetime, happenings), |(lifetime, happenings)| {
        in_virtual_time(play(lifetime, happenings))
    });
}
