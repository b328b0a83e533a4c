//! A provider with 60 requests and 10 000 tokens a minute, and 200 calls a minute for ten minutes.

use super::*;

/// The results of the calls.
#[derive(Debug)]
struct Course {
    /// The numbers of attempts that were answered, and that got a 429.
    answered: usize,
    limited: usize,
    /// The same numbers from the second minute on.
    later: (usize, usize),
    /// Medians of the waits.
    interactive: Duration,
    batch: Duration,
}

fn request(priority: Priority) -> Request {
    let body = r#"{"model":"m","max_tokens":100,"messages":[{"role":"user","content":"where is my parcel?"}]}"#;
    let left = match priority {
        Priority::Interactive => secs(30),
        _ => 15 * MINUTE,
    };
    with_deadline(with_extension(with_body(body), priority), left)
}

async fn play(policy: LimitPolicy, over_limit: Reply, path: &str) -> Course {
    let capacity = Capacity::PerMinute { requests: 60, tokens: 10_000 };
    let primary = Provider::new("primary")
        .always(Reply::answer().head_after(ms(1200)))
        .capacity(capacity, over_limit);
    let profile = Profile::pipeline().limit(policy).retry(RetryPolicy::new().retries(0));
    let log = EventLog::default();
    let client = over(log.attach_to(Client::builder().profile(profile)), [&primary]);
    let start = Instant::now();
    let waits = Arc::new(Mutex::new([Vec::new(), Vec::new()]));
    // 200 a minute, of which 40 are interactive.
    let calls = (0..2000_u32).map(|n| {
        let priority = if n % 5 == 0 { Priority::Interactive } else { Priority::Batch };
        let (client, waits) = (client.clone(), waits.clone());
        let path = format!("http://primary{path}");
        tokio::spawn(async move {
            sleep_until(start + n * ms(300)).await;
            let asked = Instant::now();
            let mut request = request(priority);
            *request.uri_mut() = path.parse().unwrap();
            if call(&client, request).await.is_ok_and(|answer| answer.status == 200) {
                let wait = asked.elapsed().saturating_sub(ms(1200));
                waits.lock().unwrap()[priority as usize].push(wait);
            }
        })
    });
    let calls: Vec<_> = calls.collect();
    sleep_until(start + 10 * MINUTE).await;
    let [answered, limited] = outcomes(&log, &primary, start, Duration::ZERO);
    let later = outcomes(&log, &primary, start, MINUTE);
    calls.iter().for_each(tokio::task::JoinHandle::abort);
    let median = |of: usize| {
        let mut waits = waits.lock().unwrap()[of].clone();
        waits.sort_unstable();
        waits[waits.len() / 2]
    };
    let (interactive, batch) = (median(0), median(1));
    Course { answered, limited, later: (later[0], later[1]), interactive, batch }
}

/// The number of attempts after that time that reached the provider, and the number of them that got a 429.
fn outcomes(log: &EventLog, primary: &Provider, start: Instant, after: Duration) -> [usize; 2] {
    let sent = primary.attempts().iter().filter(|it| it.at >= start + after).count();
    let limited = log.rate_limited_at().iter().filter(|at| **at >= start + after).count();
    [sent - limited, limited]
}

fn right() -> LimitPolicy {
    LimitPolicy::new().requests(60).tokens(10_000)
}

fn told_wait() -> Reply {
    Reply::rate_limited(Some(secs(1)))
}

#[track_caller]
fn holds(course: &Course) {
    println!("{course:?}");
    let attempts = course.answered + course.limited;
    assert!(course.answered as f64 >= 0.97 * 600.0, "{course:?}");
    assert!(course.limited as f64 <= 0.01 * attempts as f64, "{course:?}");
    assert!(course.interactive * 10 <= course.batch, "{course:?}");
}

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";

#[tokio::test(start_paused = true)]
async fn nearly_all_that_is_allowed_is_used_and_hardly_an_attempt_is_limited() {
    holds(&play(right(), told_wait(), CHAT).await);
    holds(&play(right(), Reply::rate_limited(None), CHAT).await);
}

#[tokio::test(start_paused = true)]
async fn limits_that_were_set_to_half_are_corrected_by_the_headers_within_a_minute() {
    let course = play(LimitPolicy::new().requests(30).tokens(5_000), told_wait(), CHAT).await;
    holds(&course);
    assert!(course.later.0 >= 523, "{course:?}");
}

#[tokio::test(start_paused = true)]
async fn limits_that_were_set_to_double_are_corrected_by_the_headers_within_a_minute() {
    let course = play(LimitPolicy::new().requests(120).tokens(20_000), told_wait(), CHAT).await;
    holds(&course);
    assert_eq!(course.later.1, 0, "{course:?}");
}

#[tokio::test(start_paused = true)]
async fn without_any_limit_set_the_headers_alone_are_enough() {
    holds(&play(LimitPolicy::new(), told_wait(), CHAT).await);
}

#[tokio::test(start_paused = true)]
async fn the_headers_of_anthropic_are_read() {
    holds(&play(LimitPolicy::new().requests(30).tokens(5_000), told_wait(), MESSAGES).await);
}

/// A provider that counts in fixed minutes and reports when the next one starts.
#[derive(Debug, Default)]
struct Window {
    minute: u32,
    used: u32,
    answered: usize,
    limited: usize,
}

impl Window {
    fn answer(&mut self, passed: Duration) -> Response {
        let minute = (passed.as_secs() / 60) as u32;
        if minute != self.minute {
            (self.minute, self.used) = (minute, 0);
        }
        let reset = (MINUTE * (minute + 1) - passed).as_secs() + 1;
        let taken = self.used < 60;
        self.used += u32::from(taken);
        *if taken { &mut self.answered } else { &mut self.limited } += 1;
        let answer = http::Response::builder()
            .status(if taken { 200 } else { 429 })
            .header("content-type", "application/json")
            .header("ratelimit-limit", 60)
            .header("ratelimit-remaining", 60 - self.used)
            .header("ratelimit-reset", reset);
        let answer = if taken { answer } else { answer.header("retry-after", reset) };
        let text = r#"{"choices":[{"message":{"role":"assistant","content":"here"},"finish_reason":"stop"}]}"#;
        answer.body(evenkeel::Body::from(text)).unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_with_fixed_windows_of_a_minute_is_followed() {
    for policy in [LimitPolicy::new().requests(60), LimitPolicy::new().requests(120)] {
        let window = Arc::new(Mutex::new(Window::default()));
        let start = Instant::now();
        let counted = window.clone();
        let upstream = tower::service_fn(move |_: Request| {
            let answer = counted.lock().unwrap().answer(start.elapsed());
            async move {
                sleep(ms(1200)).await;
                Ok::<_, Error>(answer)
            }
        });
        let profile = Profile::pipeline().limit(policy).retry(RetryPolicy::new().retries(0));
        let client = Client::builder().profile(profile).build_with(upstream).unwrap();
        let calls: Vec<_> = (0..2000_u32)
            .map(|n| {
                let client = client.clone();
                tokio::spawn(async move {
                    sleep_until(start + n * ms(300)).await;
                    let _ = call(&client, request(Priority::Batch)).await;
                })
            })
            .collect();
        sleep_until(start + 10 * MINUTE).await;
        calls.iter().for_each(tokio::task::JoinHandle::abort);
        let window = window.lock().unwrap();
        println!("{window:?}");
        assert!(window.answered >= 582, "{window:?}");
        assert!(window.limited * 100 <= window.answered + window.limited, "{window:?}");
    }
}
