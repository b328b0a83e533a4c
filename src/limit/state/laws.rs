//! Laws of the limits: no tenant pays for the estimates of another, and no batch call starves.

use proptest::prelude::*;

use super::*;
use crate::{
    Request,
    dialect::Usage,
    limit::{
        adaptive::AnswerForm,
        rate_limit_info::{RateLimitInfo, ReportedLimit},
    },
    outcome::Outcome,
};

const SECOND: Duration = Duration::from_secs(1);

/// A call of one tenant: when it arrives, its request, and the usage that its answer reports.
#[derive(Clone, Debug)]
struct Call {
    at: Duration,
    request: Request,
    priority: Priority,
    usage: Option<Usage>,
}

/// The wait of a call, if it was sent.
type Waited = Option<Duration>;

/// A route and its calls, in steps of a quarter of a second.
struct World {
    state: RouteLimiterState,
    start: Instant,
    /// The time until the deadline of each call.
    deadline: Duration,
    /// The remaining tokens in the headers of an answer, if the provider sends them.
    remaining: Option<f64>,
}

impl World {
    fn new(policy: &LimitPolicy, deadline: Duration, remaining: Option<f64>) -> Self {
        let start = Instant::now();
        Self { state: RouteLimiterState::new(policy, start), start, deadline, remaining }
    }

    fn play(&mut self, calls: &[Call]) -> Vec<Waited> {
        const STEP: Duration = Duration::from_millis(250);
        let mut waited = vec![None; calls.len()];
        let (mut waiting, mut running) = (Vec::new(), Vec::new());
        let end = calls.iter().map(|call| call.at).max().unwrap_or_default() + self.deadline;
        for step in 0..=(end.as_millis() / STEP.as_millis()) as u32 {
            let now = self.start + STEP * step;
            running.retain(|(until, n, grant)| {
                let under_way = now < *until;
                if !under_way {
                    self.end(*grant, &calls[*n], now);
                }
                under_way
            });
            for (n, call) in calls.iter().enumerate() {
                let at = self.start + call.at;
                if at > now || at + STEP <= now {
                    continue;
                }
                match self.admit(call, now) {
                    Admission::Admitted(grant) => {
                        waited[n] = Some(Duration::ZERO);
                        running.push((now + 2 * SECOND, n, grant));
                    }
                    Admission::Queued { position, .. } => waiting.push((position, n, now)),
                    Admission::Refused { .. } => (),
                }
            }
            waiting.retain(|(position, n, since)| {
                match self.state.poll_queued(*position, input(now), Waker::noop()) {
                    QueuePoll::Ready(WaitResult::Admitted(grant)) => {
                        waited[*n] = Some(now - *since);
                        running.push((now + 2 * SECOND, *n, grant));
                        false
                    }
                    QueuePoll::Ready(WaitResult::Refused { .. }) => false,
                    QueuePoll::Pending { .. } => true,
                }
            });
        }
        waited
    }

    fn admit(&mut self, call: &Call, now: Instant) -> Admission {
        let (info, priority) = (RequestInfo::read(&call.request), call.priority);
        let size = RequestSize::measure(&call.request, &info);
        let cost = self.state.estimate(size, &info, priority);
        let latest_start = Some(now + self.deadline);
        let request = AdmissionRequest { priority, cost, latest_start, may_queue: true };
        self.state.admit(request, input(now))
    }

    fn end(&mut self, grant: Grant, call: &Call, now: Instant) {
        let info = RequestInfo::read(&call.request);
        if let Some(remaining) = self.remaining {
            let (limit, remaining) = (Some(2.0 * remaining), Some(remaining));
            let info = RateLimitInfo { limit, remaining, reset: None };
            let reported = ReportedLimit { dimension: CostDimension::Tokens, info };
            self.state.on_headers(&grant, &[reported], now);
        }
        let (outcome, form) = (Outcome::Success, AnswerForm::Stream);
        let feedback = Feedback { outcome, first_event_at: now, form };
        self.state.on_outcome(&grant, feedback, input(now));
        self.state.on_usage(&grant, RequestSize::measure(&call.request, &info), call.usage);
        self.state.on_body_end(&grant, input(now));
    }
}

fn input(now: Instant) -> DecisionInput {
    DecisionInput { now, random: 0.5 }
}

fn chat(body: String) -> Request {
    http::Request::post("http://p/v1/chat/completions").body(body.into()).unwrap()
}

/// A request with a file of `file` bytes, and at most `max_tokens` for its answer.
fn odd(file: usize, max_tokens: u64) -> Request {
    let file = "A".repeat(file);
    chat(format!(
        r#"{{"model":"m","max_tokens":{max_tokens},"messages":[{{"content":"{file}"}}]}}"#
    ))
}

fn plain() -> Request {
    chat(r#"{"model":"m","max_tokens":300,"messages":[{"content":"where is my parcel?"}]}"#.into())
}

/// The calls of both tenants. `wild` are those of A, which use `cost` tokens each; B sends one per second.
fn both(wild: &[(usize, u64, bool)], gap: Duration, cost: u64) -> Vec<Call> {
    let usage = Usage::new(cost / 2, cost - cost / 2);
    let a = wild.iter().zip(0..).map(|((file, max_tokens, reports), n)| Call {
        at: gap * n,
        request: odd(*file, *max_tokens),
        priority: Priority::Interactive,
        usage: reports.then_some(usage),
    });
    let b = (0..60).map(|n| Call {
        at: SECOND * n + SECOND / 2,
        request: plain(),
        priority: Priority::Interactive,
        usage: Some(Usage::new(20, 200)),
    });
    a.chain(b).collect()
}

fn wild() -> impl Strategy<Value = Vec<(usize, u64, bool)>> {
    let file = prop_oneof![Just(0_usize), 5_000..300_000_usize];
    let max_tokens = prop_oneof![1..500_u64, 100_000..2_000_000_u64];
    prop::collection::vec((file, max_tokens, any::<bool>()), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever the estimated cost of A's calls, B's calls are sent as if A had reserved its true usage: at once, as that leaves
    /// half of the limit.
    #[test]
    fn no_neighbour_pays_for_an_estimate(
        wild in wild(), gap in 2_000..5_000_u64, cost in 10..1_500_u64,
        limit in 100_000..1_000_000_u32, is_configured in any::<bool>(), remaining in prop::option::of(1_000..90_000_u32),
    ) {
        let policy = if is_configured { LimitPolicy::new().tokens(limit) } else { LimitPolicy::new() };
        let calls = both(&wild, Duration::from_millis(gap), cost);
        let remaining = remaining.filter(|_| !is_configured).map(f64::from);
        let waited = World::new(&policy, 29 * SECOND, remaining).play(&calls);
        for (call, waited) in calls.iter().zip(waited).skip(wild.len()) {
            prop_assert_eq!(waited, Some(Duration::ZERO), "B's call at {:?}", call.at);
        }
    }

    /// Interactive calls that would take all tokens of a minute leave a batch call its share, whatever its cost; and each batch
    /// call with enough time is sent.
    #[test]
    fn no_batch_call_starves(tokens in 500..2_900_usize, every in 2..6_u32) {
        let policy = LimitPolicy::new().tokens(3_000).batch_share(1.0 / f64::from(every));
        let text = "where is my parcel? ".repeat(tokens / 5);
        let batch = Call {
            at: 10 * SECOND,
            request: chat(format!(r#"{{"max_tokens":10,"messages":[{{"content":"{text}"}}]}}"#)),
            priority: Priority::Batch,
            usage: Some(Usage::new(tokens as u64, 10)),
        };
        let people = (0..250).map(|n| Call {
            at: SECOND * n,
            // More than is refilled.
            request: chat(r#"{"max_tokens":70,"messages":[]}"#.into()),
            priority: Priority::Interactive,
            usage: Some(Usage::new(10, 70)),
        });
        let mut calls: Vec<_> = people.collect();
        calls.push(batch);
        let waited = World::new(&policy, 400 * SECOND, None).play(&calls);
        let share = 3_000.0 / 60.0 / f64::from(every);
        let most = Duration::from_secs_f64(1.5 * tokens as f64 / share) + 20 * SECOND;
        let batch = waited[250];
        prop_assert!(batch.is_some_and(|waited| waited <= most), "{batch:?} of {most:?}");
    }
}
