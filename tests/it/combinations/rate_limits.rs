//! 200 calls a minute for ten minutes against providers with 60 requests and 10 000 tokens a minute that count differently from
//! the testkit's.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use evenkeel::{
    Body, Client, Error, Profile, Request, Response,
    context::{Deadline, Priority},
    limit::LimitPolicy,
};
use http_body_util::BodyExt;
use tokio::time::{Instant, sleep, sleep_until};

use crate::support::{ms, secs, with_body};

const MINUTE: Duration = Duration::from_secs(60);

/// How a provider counts, and how it reports an empty quota.
#[derive(Clone, Copy, Debug)]
struct Make {
    /// In fixed minutes of the clock, not continuously.
    window: bool,
    /// Counts the tokens used by a call, instead of the largest number that it allows.
    by_usage: bool,
    says: Says,
    stream: bool,
    /// Half of the calls are interactive, with 30 s; otherwise one in five.
    half: bool,
}

#[derive(Clone, Copy, Debug)]
enum Says {
    Nothing,
    Seconds,
    Millis,
}

#[derive(Debug)]
struct State {
    left: [f64; 2],
    filled: f64,
    answered: usize,
    limited: usize,
    /// The counts of the last nine minutes.
    late: [usize; 2],
}

const LIMITS: [f64; 2] = [60.0, 10_000.0];
const USED: f64 = 80.0;

impl State {
    /// The headers of the answer to a call at `now`, and whether it is accepted.
    fn take(&mut self, make: Make, now: f64, most: f64) -> (bool, http::response::Builder) {
        let minute = |at: f64| (at / 60.0).floor();
        for (left, limit) in self.left.iter_mut().zip(LIMITS) {
            let come = (now - self.filled) * limit / 60.0;
            *left = match make.window {
                true if minute(now) > minute(self.filled) => limit,
                true => *left,
                false => (*left + come).min(limit),
            };
        }
        self.filled = now;
        let cost = [1.0, if make.by_usage { USED } else { most }];
        let missing: Vec<_> = (0..2).map(|n| cost[n] - self.left[n]).collect();
        let taken = missing.iter().all(|missing| *missing <= 1e-9);
        if taken {
            (0..2).for_each(|n| self.left[n] -= cost[n]);
            self.answered += 1;
        } else {
            self.limited += 1;
        }
        if now >= 60.0 {
            self.late[usize::from(!taken)] += 1;
        }
        let ends = 60.0 - now % 60.0;
        let reset = |n: usize| {
            if make.window { ends } else { (LIMITS[n] - self.left[n]) / LIMITS[n] * 60.0 }
        };
        let wait = match make.window {
            true => ends,
            false => (0..2).map(|n| missing[n].max(0.0) / LIMITS[n] * 60.0).fold(0.0, f64::max),
        };
        let mut head = http::Response::builder().status(if taken { 200 } else { 429 });
        for (n, what) in ["requests", "tokens"].into_iter().enumerate() {
            head = head
                .header(format!("x-ratelimit-limit-{what}"), LIMITS[n].to_string())
                .header(
                    format!("x-ratelimit-remaining-{what}"),
                    self.left[n].floor().max(0.0).to_string(),
                )
                .header(format!("x-ratelimit-reset-{what}"), format!("{:.3}s", reset(n)));
        }
        if !taken {
            head = match make.says {
                Says::Nothing => head,
                Says::Seconds => head.header("retry-after", wait.ceil().to_string()),
                Says::Millis => head.header("retry-after-ms", (wait * 1000.0).ceil().to_string()),
            };
        }
        (taken, head)
    }
}

fn answer(taken: bool, head: http::response::Builder, stream: bool) -> Response {
    let usage = r#""usage":{"prompt_tokens":30,"completion_tokens":50,"total_tokens":80}"#;
    let (kind, text) = match (taken, stream) {
        (false, _) => ("application/json", r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#.to_owned()),
        (true, false) => ("application/json", format!(r#"{{"choices":[{{"message":{{"role":"assistant","content":"here"}},"finish_reason":"stop"}}],{usage}}}"#)),
        (true, true) => ("text/event-stream", format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"here\"}}}}]}}\n\ndata: {{\"choices\":[{{\"delta\":{{}},\"finish_reason\":\"stop\"}}]}}\n\ndata: {{\"choices\":[],{usage}}}\n\ndata: [DONE]\n\n")),
    };
    head.header("content-type", kind).body(Body::from(text)).unwrap()
}

struct Came {
    answered: usize,
    limited: usize,
    late: [usize; 2],
    medians: [Duration; 2],
    served: [usize; 2],
}

async fn play(profile: Profile, make: Make) -> Came {
    let start = Instant::now();
    let state = State { left: LIMITS, filled: 0.0, answered: 0, limited: 0, late: [0, 0] };
    let state = Arc::new(Mutex::new(state));
    let counted = state.clone();
    let upstream = tower::service_fn(move |request: Request| {
        let now = start.elapsed().as_secs_f64();
        let most = request.body().len().div_ceil(4) as f64 + 100.0;
        let (taken, head) = counted.lock().unwrap().take(make, now, most);
        async move {
            sleep(ms(if taken { 1200 } else { 30 })).await;
            Ok::<_, Error>(answer(taken, head, make.stream))
        }
    });
    let client = Client::builder().profile(profile).build_with(upstream).unwrap();
    let waits = Arc::new(Mutex::new([Vec::new(), Vec::new()]));
    let calls: Vec<_> = (0..2000_u32)
        .map(|n| {
            let (client, waits) = (client.clone(), waits.clone());
            let person = n % if make.half { 2 } else { 5 } == 0;
            tokio::spawn(async move {
                sleep_until(start + n * ms(300)).await;
                let stream = if make.stream { r#""stream":true,"stream_options":{"include_usage":true},"# } else { "" };
                let mut request = with_body(format!(r#"{{"model":"m",{stream}"max_tokens":100,"messages":[{{"role":"user","content":"where is my parcel?"}}]}}"#));
                let (priority, left) = match person {
                    true => (Priority::Interactive, secs(30)),
                    false => (Priority::Batch, 15 * MINUTE),
                };
                request.extensions_mut().insert(priority);
                request.extensions_mut().insert(Deadline::within(left));
                let asked = Instant::now();
                if let Ok(response) = client.send(request).await {
                    let well = response.status() == 200;
                    let wait = asked.elapsed().saturating_sub(ms(1200));
                    if well && response.into_body().collect().await.is_ok() {
                        waits.lock().unwrap()[usize::from(!person)].push(wait);
                    }
                }
            })
        })
        .collect();
    sleep_until(start + 10 * MINUTE).await;
    calls.iter().for_each(tokio::task::JoinHandle::abort);
    let waits = waits.lock().unwrap().clone();
    let median = |mut all: Vec<Duration>| {
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    let state = state.lock().unwrap();
    Came {
        answered: state.answered,
        limited: state.limited,
        late: state.late,
        served: [waits[0].len(), waits[1].len()],
        medians: waits.map(median),
    }
}

fn policies() -> [(&'static str, LimitPolicy); 3] {
    [
        ("half", LimitPolicy::new().requests(30).tokens(5_000)),
        ("double", LimitPolicy::new().requests(120).tokens(20_000)),
        ("none", LimitPolicy::new()),
    ]
}

async fn holds(make: Make) {
    let mut missed = Vec::new();
    for (at, (name, policy)) in policies().into_iter().enumerate() {
        // Each limit with one of the profiles: their differences do not matter here.
        let (which, profile) = match at % 2 {
            0 => ("pipeline", Profile::pipeline()),
            _ => ("interactive", Profile::interactive()),
        };
        let came = play(profile.limit(policy), make).await;
        let Came { answered, limited, late, medians, served } = came;
        // A bucket is full at the first call, which allows this much more.
        let allowed = if make.window { 600.0 } else { 660.0 };
        let used = 100.0 * answered as f64 / allowed;
        let share = 100.0 * limited as f64 / (answered + limited) as f64;
        let line = format!(
            "{which} {name}: used {used:.1} %, 429 {share:.2} % (later {late:?}), waits {medians:?}, served {served:?}"
        );
        println!("{make:?} {line}");
        // If interactive calls alone exceed the quota, they wait for each other.
        let late = !make.half && medians[0] * 10 > medians[1];
        // Without a limit, a window is used up at its start, and one attempt detects that.
        let unset = make.window && name == "none";
        let most = if unset { 2.0 } else { 1.0 };
        if used < 97.0 || share > most || (late && !unset) {
            missed.push(line);
        }
    }
    assert!(missed.is_empty(), "{make:?}\n{}", missed.join("\n"));
}

const BUCKET: Make =
    Make { window: false, by_usage: false, says: Says::Seconds, stream: false, half: false };

#[tokio::test(start_paused = true)]
async fn a_token_bucket_of_requests_and_tokens() {
    holds(BUCKET).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_bucket_with_waits_in_milliseconds_and_streams() {
    holds(Make { says: Says::Millis, stream: true, ..BUCKET }).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_bucket_that_counts_usage_and_sends_no_wait() {
    holds(Make { says: Says::Nothing, by_usage: true, ..BUCKET }).await;
}

#[tokio::test(start_paused = true)]
async fn a_fixed_window_of_a_minute() {
    holds(Make { window: true, ..BUCKET }).await;
}

#[tokio::test(start_paused = true)]
async fn a_fixed_window_that_counts_usage_of_streams_and_sends_no_wait() {
    holds(Make { window: true, says: Says::Nothing, by_usage: true, stream: true, ..BUCKET }).await;
}

#[tokio::test(start_paused = true)]
async fn an_overloaded_token_bucket_with_callers_that_mostly_cannot_wait() {
    holds(Make { half: true, ..BUCKET }).await;
}
