use super::{super::policy::Concurrency, *};
use crate::{limit::adaptive::Form, outcome::Outcome};

const SECOND: Duration = Duration::from_secs(1);
const CALL: Cost = Cost { requests: 1, input: 10, output: 90 };

fn gate(policy: LimitPolicy, now: Instant) -> Gate {
    Gate::new(&policy, now)
}

fn call(now: Instant) -> Arrival {
    let priority = Priority::Interactive;
    Arrival { now, priority, cost: CALL, leaves: None, patient: true }
}

fn goes(gate: &mut Gate, now: Instant) -> Leave {
    match gate.arrive(call(now), 0.5) {
        Answer::Go(leave) => leave,
        other => panic!("{other:?}"),
    }
}

fn waits(gate: &mut Gate, call: Arrival) -> (Place, Duration) {
    match gate.arrive(call, 0.5) {
        Answer::Wait(place, expected) => (place, expected),
        other => panic!("{other:?}"),
    }
}

fn turn(gate: &mut Gate, place: Place, now: Instant) -> Turn {
    gate.turn(place, (now, 0.5), Waker::noop())
}

fn report(outcome: Outcome, now: Instant) -> Report {
    Report { outcome, first: now, form: Form::Whole, now, random: 0.0 }
}

fn limited(gate: &mut Gate, leave: &Leave, wait: Option<Duration>, now: Instant) {
    gate.came_to(leave, report(Outcome::RateLimited { wait }, now));
    gate.ended(leave, now, 0.5);
}

#[test]
fn nothing_is_limited_by_default() {
    let now = Instant::now();
    let mut gate = gate(LimitPolicy::new(), now);
    for _ in 0..10_000 {
        goes(&mut gate, now);
    }
    assert_eq!((gate.slots().in_flight(), gate.waiting()), (10_000, 0));
}

#[test]
fn a_place_is_free_when_an_attempt_has_ended() {
    let now = Instant::now();
    let mut gate = gate(LimitPolicy::new().concurrency(Concurrency::Fixed(1)), now);
    let first = goes(&mut gate, now);
    let (place, _) = waits(&mut gate, call(now));
    assert!(matches!(turn(&mut gate, place, now), Turn::Not(None)));
    gate.ended(&first, now + SECOND, 0.5);
    assert_eq!(gate.take_wake().len(), 1);
    assert!(matches!(turn(&mut gate, place, now + SECOND), Turn::Over(Fate::Go(_))));
    // The next one knows how long attempts take.
    assert_eq!(waits(&mut gate, call(now + SECOND)).1, SECOND);
}

#[test]
fn the_wait_is_told_by_the_rate_and_by_those_ahead() {
    let now = Instant::now();
    let mut gate = gate(LimitPolicy::new().requests(60).burst(SECOND), now);
    goes(&mut gate, now);
    for n in 1..5 {
        assert_eq!(waits(&mut gate, call(now)).1, n * SECOND);
    }
    assert_eq!(gate.expected(Priority::Interactive, CALL, now), 5 * SECOND);
}

#[test]
fn whoever_would_be_too_late_is_refused_at_once() {
    let now = Instant::now();
    let mut gate = gate(LimitPolicy::new().requests(60).burst(SECOND), now);
    goes(&mut gate, now);
    waits(&mut gate, call(now));
    let soon = Arrival { leaves: Some(now + SECOND), ..call(now) };
    assert!(matches!(gate.arrive(soon, 0.5), Answer::Refused(wait) if wait == 2 * SECOND));
    let impatient = Arrival { patient: false, ..call(now) };
    assert!(matches!(gate.arrive(impatient, 0.5), Answer::Refused(_)));
    waits(&mut gate, Arrival { leaves: Some(now + 2 * SECOND), ..call(now) });
}

#[test]
fn a_full_queue_refuses() {
    let now = Instant::now();
    let mut gate = gate(LimitPolicy::new().concurrency(Concurrency::Fixed(1)).queue(2), now);
    goes(&mut gate, now);
    let first = waits(&mut gate, call(now)).0;
    waits(&mut gate, call(now));
    assert!(matches!(gate.arrive(call(now), 0.5), Answer::Refused(_)));
    gate.give_up(first, now, 0.5);
    waits(&mut gate, call(now));
}

#[test]
fn a_wait_that_is_told_sends_away_those_whom_it_makes_late() {
    let now = Instant::now();
    let mut gate = gate(LimitPolicy::new().concurrency(Concurrency::Fixed(1)), now);
    let sent = goes(&mut gate, now);
    let hurried = waits(&mut gate, Arrival { leaves: Some(now + 10 * SECOND), ..call(now) }).0;
    let patient = waits(&mut gate, Arrival { leaves: Some(now + 60 * SECOND), ..call(now) }).0;
    limited(&mut gate, &sent, Some(20 * SECOND), now);
    assert!(
        matches!(turn(&mut gate, hurried, now), Turn::Over(Fate::Refused(wait)) if wait == 20 * SECOND)
    );
    assert!(
        matches!(turn(&mut gate, patient, now), Turn::Not(Some(at)) if at == now + 20 * SECOND)
    );
    let late = now + 20 * SECOND;
    let jitter = late + SECOND / 2;
    assert!(matches!(turn(&mut gate, patient, late), Turn::Not(Some(at)) if at == jitter));
    let late = jitter;
    assert!(matches!(turn(&mut gate, patient, late), Turn::Over(Fate::Go(_))));
}

#[test]
fn a_leave_that_nobody_takes_is_handed_back() {
    let now = Instant::now();
    let policy = LimitPolicy::new().concurrency(Concurrency::Fixed(1)).tokens(1000);
    let mut gate = gate(policy, now);
    let first = goes(&mut gate, now);
    let gone = waits(&mut gate, call(now)).0;
    let next = waits(&mut gate, call(now)).0;
    gate.ended(&first, now, 0.5);
    gate.give_up(gone, now, 0.5);
    assert!(matches!(turn(&mut gate, next, now), Turn::Over(Fate::Go(_))));
    let left = gate.meters().of(super::super::tokens::Kind::Tokens).left(now);
    assert_eq!(left, Some(800.0), "two attempts, and not three");
}

#[test]
fn an_alarm_that_has_passed_is_never_set_again() {
    let now = Instant::now();
    let mut gate = gate(LimitPolicy::new().requests(60).burst(SECOND), now);
    let sent = goes(&mut gate, now);
    let place = waits(&mut gate, call(now)).0;
    assert!(matches!(turn(&mut gate, place, now), Turn::Not(Some(at)) if at == now + SECOND));
    limited(&mut gate, &sent, Some(5 * SECOND), now);
    let at = now + SECOND;
    assert!(
        matches!(turn(&mut gate, place, at), Turn::Not(Some(next)) if next == now + 5 * SECOND)
    );
}

#[test]
fn tokens_are_given_back_where_the_model_did_not_run() {
    let now = Instant::now();
    let left = |outcome| {
        let mut gate = gate(LimitPolicy::new().tokens(1000).requests(60), now);
        let sent = goes(&mut gate, now);
        gate.came_to(&sent, report(outcome, now));
        let of = |kind| gate.meters().of(kind).left(now).unwrap();
        use super::super::tokens::Kind::{Requests, Tokens};
        (of(Requests), of(Tokens))
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
    let mut gate = gate(LimitPolicy::new().tokens(1000), now);
    goes(&mut gate, now);
    let large = Cost { requests: 1, input: 0, output: 5000 };
    let first = waits(&mut gate, Arrival { cost: large, ..call(now) }).0;
    let small = waits(&mut gate, call(now)).0;
    assert!(matches!(turn(&mut gate, small, now), Turn::Not(None)));
    let full = now + 6 * SECOND;
    assert!(matches!(turn(&mut gate, first, full), Turn::Over(Fate::Go(_))));
    let soon = full..full + 10 * SECOND;
    assert!(
        matches!(turn(&mut gate, small, full), Turn::Not(Some(at)) if at > full && soon.contains(&at))
    );
}
