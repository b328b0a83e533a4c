//! The core: when a token is used, fetched and refused.

use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::{
    Credentials,
    failure::CredentialError,
    settings::CredentialTimes,
    state::{Final, Step, TokenState},
    user_call::Fetched,
};
use crate::telemetry::CredentialFailure;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn token(lifetime: Option<u64>) -> Fetched {
    let token = Credentials::bearer("k");
    lifetime.map(secs).into_iter().fold(token, Credentials::expires_in).check().unwrap()
}

/// A state with a token that was fetched at `now`.
fn with_token(lifetime: Option<u64>, now: Instant) -> TokenState {
    let mut state = TokenState::default();
    assert!(matches!(state.next(now), Step::Fetch));
    state.fetched(token(lifetime), &CredentialTimes::default(), now, 0.0);
    state
}

#[test]
fn an_hour_s_token_is_refreshed_60_s_before_its_end_and_used_until_then() {
    let now = Instant::now();
    let mut state = with_token(Some(3600), now);
    assert!(matches!(state.next(now + secs(3539)), Step::Use(_)));
    assert!(matches!(state.next(now + secs(3540)), Step::UseAndFetch(_)));
    assert!(matches!(state.next(now + secs(3599)), Step::Use(_)), "the fetch is under way");
    assert!(matches!(state.next(now + secs(3600)), Step::Wait));
}

#[test]
fn a_short_token_is_refreshed_a_tenth_before_its_end() {
    let now = Instant::now();
    let mut state = with_token(Some(100), now);
    assert!(matches!(state.next(now + secs(89)), Step::Use(_)));
    assert!(matches!(state.next(now + secs(90)), Step::UseAndFetch(_)));
}

#[test]
fn a_token_that_is_expired_from_the_start_is_used_until_the_next_fetch() {
    let now = Instant::now();
    let mut state = with_token(Some(0), now);
    assert!(matches!(state.next(now + secs(9)), Step::Use(_)));
    assert!(matches!(state.next(now + secs(10)), Step::Fetch));
}

#[test]
fn a_token_without_an_end_is_used_until_it_is_rejected() {
    let now = Instant::now();
    let mut state = with_token(None, now);
    let late = now + secs(1_000_000);
    assert!(matches!(state.next(late), Step::Use(_)));
    assert!(matches!(state.renew(1, late), Ok(Step::Fetch)));
    assert!(matches!(state.next(late), Step::Use(_)), "one rejection delays no other attempt");
}

#[test]
fn the_rejection_of_a_new_token_is_final_and_that_of_an_old_one_is_not() {
    let now = Instant::now();
    let mut state = with_token(Some(3600), now);
    assert!(matches!(state.renew(1, now + secs(9)), Err(Final)));
    assert!(matches!(state.renew(1, now + secs(10)), Ok(Step::Fetch)));
    assert!(matches!(state.renew(1, now + secs(10)), Ok(Step::Wait)), "many share one fetch");
    state.fetched(token(None), &CredentialTimes::default(), now + secs(11), 0.0);
    assert!(matches!(state.renew(1, now + secs(11)), Ok(Step::Use(_))));
    assert!(matches!(state.renew(2, now + secs(11)), Err(Final)));
}

#[test]
fn the_fetches_of_a_failing_source_are_spaced_up_to_a_minute() {
    let mut now = Instant::now();
    let mut state = TokenState::default();
    let mut waits = Vec::new();
    for _ in 0..9 {
        assert!(matches!(state.next(now), Step::Fetch));
        let error = CredentialError::new(CredentialFailure::Failed);
        let wait = state.failed(error, now, 1.0);
        let Step::Refuse(refusal) = state.next(now) else { panic!("it waits") };
        assert_eq!(refusal.retry_in, Some(wait));
        waits.push(wait.as_secs());
        now += wait;
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
}

/// One thing that happens to the token of a source.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Call,
    Rejection,
    Fetched { lifetime: Option<u64> },
    Failed,
    Abandoned,
    Wait(u64),
}

fn any_happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => Just(Happening::Call),
        2 => Just(Happening::Rejection),
        3 => prop::option::of(0..5_000_u64).prop_map(|lifetime| Happening::Fetched { lifetime }),
        1 => Just(Happening::Failed),
        1 => Just(Happening::Abandoned),
        3 => (0..3_000_u64).prop_map(Happening::Wait),
    ]
}

proptest! {
    #[test]
    fn law_one_fetch_at_a_time_and_none_too_soon_and_no_token_after_its_end(
        happenings in prop::collection::vec(any_happening(), 1..80), random in 0.0..1.0,
    ) {
        let times = CredentialTimes::default();
        let (mut state, mut now) = (TokenState::default(), Instant::now());
        let (mut fetching, mut generation, mut not_before) = (false, 0, now);
        let mut end: Option<Instant> = None;
        for happening in happenings {
            let step = match happening {
                Happening::Call => Some(state.next(now)),
                Happening::Rejection => state.renew(generation, now).ok(),
                Happening::Wait(wait) => { now += secs(wait); None }
                Happening::Fetched { lifetime } if fetching => {
                    state.fetched(token(lifetime), &times, now, random);
                    (fetching, generation) = (false, generation + 1);
                    let lifetime = lifetime.map(secs);
                    let interval = times.interval(lifetime);
                    not_before = now + interval;
                    end = lifetime.map(|lifetime| now + lifetime.max(interval));
                    None
                }
                Happening::Failed if fetching => {
                    let error = CredentialError::new(CredentialFailure::Failed);
                    let wait = state.failed(error, now, random);
                    prop_assert!(wait >= Duration::from_millis(500) && wait <= secs(60));
                    (fetching, not_before) = (false, now + wait);
                    None
                }
                Happening::Abandoned if fetching => {
                    state.abandoned();
                    fetching = false;
                    None
                }
                _ => None,
            };
            let starts = matches!(step, Some(Step::Fetch | Step::UseAndFetch(_)));
            if starts {
                prop_assert!(!fetching, "two fetches at a time");
                prop_assert!(now >= not_before, "a fetch too soon");
                fetching = true;
            }
            match step {
                Some(Step::Use(_) | Step::UseAndFetch(_)) => {
                    prop_assert!(generation > 0 && end.is_none_or(|end| now < end), "expired");
                }
                Some(Step::Wait) => prop_assert!(fetching, "waits for nothing"),
                Some(Step::Refuse(_)) => prop_assert!(now < not_before, "refused for no reason"),
                _ => (),
            }
        }
    }
}
