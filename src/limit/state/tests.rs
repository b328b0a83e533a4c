use super::*;
use crate::{
    limit::{adaptive::AnswerForm, policy::Concurrency},
    outcome::Outcome,
};

const SECOND: Duration = Duration::from_secs(1);
const CALL: Cost = Cost { requests: 1, input: 10, output: 90 };

fn state(policy: LimitPolicy, now: Instant) -> RouteLimiterState {
    RouteLimiterState::new(&policy, now)
}

/// An interactive call that has time to wait.
const REQUEST: AdmissionRequest = AdmissionRequest {
    priority: Priority::Interactive,
    cost: CALL,
    latest_start: None,
    may_queue: true,
};

fn input(now: Instant) -> DecisionInput {
    DecisionInput { now, random: 0.5 }
}

fn no_jitter(now: Instant) -> DecisionInput {
    DecisionInput { now, random: 0.0 }
}

fn goes(state: &mut RouteLimiterState, now: Instant) -> Grant {
    match state.admit(REQUEST, input(now)) {
        Admission::Admitted(grant) => grant,
        other => panic!("{other:?}"),
    }
}

/// A waiting call, and its expected wait.
struct Waiting {
    position: QueuePosition,
    expected: Duration,
}

fn waits(state: &mut RouteLimiterState, request: AdmissionRequest, now: Instant) -> Waiting {
    match state.admit(request, input(now)) {
        Admission::Queued { position, expected } => Waiting { position, expected },
        other => panic!("{other:?}"),
    }
}

fn poll(state: &mut RouteLimiterState, position: QueuePosition, now: Instant) -> QueuePoll {
    state.poll_queued(position, input(now), Waker::noop())
}

fn feedback(outcome: Outcome, now: Instant) -> Feedback {
    Feedback { outcome, first_event_at: now, form: AnswerForm::Unary }
}

fn limited(state: &mut RouteLimiterState, grant: &Grant, wait: Option<Duration>, now: Instant) {
    state.on_outcome(grant, feedback(Outcome::RateLimited { wait }, now), no_jitter(now));
    state.on_body_end(grant, input(now));
}

#[test]
fn nothing_is_limited_by_default() {
    let now = Instant::now();
    let mut state = state(LimitPolicy::new(), now);
    for _ in 0..10_000 {
        goes(&mut state, now);
    }
    assert_eq!((state.concurrency().in_flight(), state.waiting()), (10_000, 0));
}

#[test]
fn there_is_room_when_an_attempt_has_ended() {
    let now = Instant::now();
    let mut state = state(LimitPolicy::new().concurrency(Concurrency::Fixed(1)), now);
    let first = goes(&mut state, now);
    let position = waits(&mut state, REQUEST, now).position;
    assert!(matches!(poll(&mut state, position, now), QueuePoll::Pending { poll_at: None }));
    state.on_body_end(&first, input(now + SECOND));
    assert_eq!(state.take_wakers().len(), 1);
    assert!(matches!(
        poll(&mut state, position, now + SECOND),
        QueuePoll::Ready(WaitResult::Admitted(_))
    ));
    // The duration of attempts is known for the next one.
    assert_eq!(waits(&mut state, REQUEST, now + SECOND).expected, SECOND);
}

#[test]
fn the_expected_wait_follows_from_the_rate_and_from_those_ahead() {
    let now = Instant::now();
    let mut state = state(LimitPolicy::new().requests(60).burst(SECOND), now);
    goes(&mut state, now);
    for n in 1..5 {
        assert_eq!(waits(&mut state, REQUEST, now).expected, n * SECOND);
    }
    assert_eq!(state.expected_wait(Priority::Interactive, CALL, now), 5 * SECOND);
}

#[test]
fn a_call_that_would_be_too_late_is_refused_at_once() {
    let now = Instant::now();
    let mut state = state(LimitPolicy::new().requests(60).burst(SECOND), now);
    goes(&mut state, now);
    waits(&mut state, REQUEST, now);
    let soon = AdmissionRequest { latest_start: Some(now + SECOND), ..REQUEST };
    assert!(
        matches!(state.admit(soon, input(now)), Admission::Refused { retry_in: wait } if wait == 2 * SECOND)
    );
    let impatient = AdmissionRequest { may_queue: false, ..REQUEST };
    assert!(matches!(state.admit(impatient, input(now)), Admission::Refused { .. }));
    waits(&mut state, AdmissionRequest { latest_start: Some(now + 2 * SECOND), ..REQUEST }, now);
}

#[test]
fn a_full_queue_refuses() {
    let now = Instant::now();
    let mut state = state(LimitPolicy::new().concurrency(Concurrency::Fixed(1)).max_queue(2), now);
    goes(&mut state, now);
    let first = waits(&mut state, REQUEST, now).position;
    waits(&mut state, REQUEST, now);
    assert!(matches!(state.admit(REQUEST, input(now)), Admission::Refused { .. }));
    state.give_up(first, input(now));
    waits(&mut state, REQUEST, now);
}

#[test]
fn a_wait_that_the_provider_asks_for_refuses_the_calls_that_it_makes_late() {
    let now = Instant::now();
    let mut state = state(LimitPolicy::new().concurrency(Concurrency::Fixed(1)), now);
    let sent = goes(&mut state, now);
    let hurried = waits(
        &mut state,
        AdmissionRequest { latest_start: Some(now + 10 * SECOND), ..REQUEST },
        now,
    )
    .position;
    let patient = waits(
        &mut state,
        AdmissionRequest { latest_start: Some(now + 60 * SECOND), ..REQUEST },
        now,
    )
    .position;
    limited(&mut state, &sent, Some(20 * SECOND), now);
    assert!(
        matches!(poll(&mut state, hurried, now), QueuePoll::Ready(WaitResult::Refused { retry_in: wait }) if wait == 20 * SECOND)
    );
    assert!(
        matches!(poll(&mut state, patient, now), QueuePoll::Pending { poll_at: Some(at) } if at == now + 20 * SECOND)
    );
    let late = now + 20 * SECOND;
    let jitter = late + SECOND / 2;
    assert!(
        matches!(poll(&mut state, patient, late), QueuePoll::Pending { poll_at: Some(at) } if at == jitter)
    );
    let late = jitter;
    assert!(matches!(poll(&mut state, patient, late), QueuePoll::Ready(WaitResult::Admitted(_))));
}

#[test]
fn a_grant_that_nobody_takes_is_given_back() {
    let now = Instant::now();
    let policy = LimitPolicy::new().concurrency(Concurrency::Fixed(1)).tokens(1000);
    let mut state = state(policy, now);
    let first = goes(&mut state, now);
    let gone = waits(&mut state, REQUEST, now).position;
    let next = waits(&mut state, REQUEST, now).position;
    state.on_body_end(&first, input(now));
    state.give_up(gone, input(now));
    assert!(matches!(poll(&mut state, next, now), QueuePoll::Ready(WaitResult::Admitted(_))));
    let left = state.quotas().of(CostDimension::Tokens).remaining(now);
    assert_eq!(left, Some(800.0), "two attempts, and not three");
}

#[test]
fn an_alarm_that_has_passed_is_never_set_again() {
    let now = Instant::now();
    let mut state = state(LimitPolicy::new().requests(60).burst(SECOND), now);
    let sent = goes(&mut state, now);
    let position = waits(&mut state, REQUEST, now).position;
    assert!(
        matches!(poll(&mut state, position, now), QueuePoll::Pending { poll_at: Some(at) } if at == now + SECOND)
    );
    limited(&mut state, &sent, Some(5 * SECOND), now);
    let at = now + SECOND;
    assert!(
        matches!(poll(&mut state, position, at), QueuePoll::Pending { poll_at: Some(next) } if next == now + 5 * SECOND)
    );
}

#[test]
fn tokens_are_given_back_where_the_model_did_not_run() {
    let now = Instant::now();
    let left = |outcome| {
        let mut state = state(LimitPolicy::new().tokens(1000).requests(60), now);
        let sent = goes(&mut state, now);
        state.on_outcome(&sent, feedback(outcome, now), no_jitter(now));
        let of = |dimension| state.quotas().of(dimension).remaining(now).unwrap();
        (of(CostDimension::Requests), of(CostDimension::Tokens))
    };
    let down = Outcome::Unavailable { wait: None };
    assert_eq!(left(Outcome::Unreachable), (5.0, 1000.0));
    assert_eq!(left(down), (4.0, 1000.0));
    assert_eq!(left(Outcome::RateLimited { wait: None }), (4.0, 1000.0));
    assert_eq!(left(Outcome::ConnectionLost), (4.0, 900.0));
    assert_eq!(left(Outcome::Success), (4.0, 900.0));
}

#[test]
fn a_large_call_at_the_head_is_not_overtaken() {
    let now = Instant::now();
    let mut state = state(LimitPolicy::new().tokens(1000), now);
    goes(&mut state, now);
    let large = Cost { requests: 1, input: 0, output: 5000 };
    let first = waits(&mut state, AdmissionRequest { cost: large, ..REQUEST }, now).position;
    let small = waits(&mut state, REQUEST, now).position;
    assert!(matches!(poll(&mut state, small, now), QueuePoll::Pending { poll_at: None }));
    let full = now + 6 * SECOND;
    assert!(matches!(poll(&mut state, first, full), QueuePoll::Ready(WaitResult::Admitted(_))));
    let soon = full..full + 10 * SECOND;
    assert!(
        matches!(poll(&mut state, small, full), QueuePoll::Pending { poll_at: Some(at) } if at > full && soon.contains(&at))
    );
}
