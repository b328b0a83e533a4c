//! Limits do not refuse or delay calls that would be served without them. Whole stack, paused clock.

use std::time::SystemTime;

use evenkeel::{Body, context::Route};

use super::*;

/// The results of the calls.
#[derive(Debug, Default)]
struct Served {
    answered: usize,
    failed: usize,
    /// The longest time from the call to its answer.
    longest: Duration,
}

/// Calls `gap` apart; waits for all of them.
async fn calls(client: &Client, requests: Vec<Request>, gap: Duration) -> Served {
    let start = Instant::now();
    let calls = requests.into_iter().zip(0_u32..).map(|(request, n)| {
        let client = client.clone();
        tokio::spawn(async move {
            sleep_until(start + gap * n).await;
            let asked = Instant::now();
            let answer = call(&client, request).await;
            let answered =
                answer.is_ok_and(|answer| answer.status == 200 && answer.error.is_none());
            (answered, asked.elapsed())
        })
    });
    let mut served = Served::default();
    for ended in join_all(calls.collect::<Vec<_>>()).await {
        let (answered, took) = ended.unwrap();
        *if answered { &mut served.answered } else { &mut served.failed } += 1;
        served.longest = served.longest.max(took);
    }
    served
}

fn client_of(policy: LimitPolicy, provider: &Provider) -> Client {
    over(Client::builder().profile(limited(policy)), [provider])
}

fn only_route(client: &Client) -> Route {
    client.limits().list().remove(0).0
}

// === estimates ===

/// A question with an image of four megabytes.
fn image(stream: bool) -> Request {
    let image = "iVBORw0KGgo/".repeat(4 << 20 >> 3);
    with_body(format!(
        r#"{{"model":"m","stream":{stream},"max_tokens":300,"messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{image}"}}}}]}}]}}"#
    ))
}

#[tokio::test(start_paused = true)]
async fn one_image_of_four_megabytes_refuses_no_call_with_the_headers_of_openai() {
    let answer = Reply::answer()
        .head_after(secs(2))
        .header("x-ratelimit-limit-tokens", "200000")
        .header("x-ratelimit-remaining-tokens", "198400")
        .header("x-ratelimit-reset-tokens", "480ms");
    let provider = Provider::new("primary").always(answer);
    for policy in [LimitPolicy::new(), LimitPolicy::new().tokens(200_000)] {
        let client = client_of(policy, &provider);
        let mut requests = vec![chat(false), image(false)];
        requests.extend((0..60).map(|_| chat(false)));
        let served = calls(&client, requests, secs(1)).await;
        println!("{served:?}");
        assert_eq!((served.answered, served.failed), (62, 0));
        assert!(served.longest <= secs(3), "{served:?}");
    }
}

/// A message of Anthropic, with `read` tokens from its cache.
fn cached(read: u64) -> Reply {
    let body = format!(
        r#"{{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{{"type":"text","text":"here"}}],"stop_reason":"end_turn","usage":{{"input_tokens":50,"cache_creation_input_tokens":0,"cache_read_input_tokens":{read},"output_tokens":20}}}}"#
    );
    Reply::raw(200, "application/json", body)
        .head_after(ms(1200))
        .header("anthropic-ratelimit-input-tokens-limit", "50000")
        .header("anthropic-ratelimit-input-tokens-remaining", "49000")
}

#[tokio::test(start_paused = true)]
async fn a_cached_prompt_of_400_kb_refuses_no_call_at_50_000_input_tokens_a_minute() {
    let provider = Provider::new("primary").always(cached(100_000));
    let prompt = "where is my parcel? ".repeat(20_000);
    let request = || {
        let body = format!(
            r#"{{"model":"m","max_tokens":100,"messages":[{{"role":"user","content":"{prompt}"}}]}}"#
        );
        let mut request = with_body(body);
        *request.uri_mut() = "http://primary/v1/messages".parse().unwrap();
        request
    };
    for policy in [LimitPolicy::new(), LimitPolicy::new().tokens(50_000)] {
        let client = client_of(policy, &provider);
        let served = calls(&client, (0..40).map(|_| request()).collect(), ms(500)).await;
        println!("{served:?}");
        assert_eq!((served.answered, served.failed), (40, 0));
        assert!(served.longest <= secs(12), "{served:?}");
        // The cost of a call of this size is known now.
        let served = calls(&client, (0..40).map(|_| request()).collect(), ms(500)).await;
        assert_eq!((served.failed, served.longest), (0, ms(1200)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_usage_and_a_million_requested_tokens_delay_no_call() {
    let million = with_body(
        r#"{"model":"m","stream":true,"max_tokens":1000000,"messages":[{"role":"user","content":"hi"}]}"#,
    );
    for odd in [image(true), million] {
        let provider = Provider::new("primary").always(Reply::answer().head_after(ms(300)));
        let client = client_of(LimitPolicy::new().tokens(200_000), &provider);
        let mut requests: Vec<_> = (0..20).map(|_| odd.clone()).collect();
        requests.extend((0..20).map(|_| chat(true)));
        let served = calls(&client, requests, ms(500)).await;
        println!("{served:?}");
        assert_eq!((served.answered, served.failed), (40, 0));
        assert!(served.longest < secs(1), "{served:?}");
    }
}

// === waits ===

/// Makes calls until one is answered. Returns the time, and the number of attempts.
async fn until_answered(client: &Client, provider: &Provider) -> (Duration, u64) {
    let start = Instant::now();
    for _ in 0..1000 {
        if call(client, chat(false)).await.is_ok_and(|answer| answer.status == 200) {
            return (start.elapsed(), provider.count());
        }
        sleep(secs(2)).await;
    }
    panic!("not answered within {:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_a_day_from_one_rate_limit_is_probed_within_about_a_minute() {
    let day = Reply::rate_limited(Some(secs(86_400)));
    for bad in [1, 2, 3] {
        let provider = Provider::new("primary").replies((0..bad).map(|_| day.clone()));
        let client = client_of(LimitPolicy::new(), &provider);
        let (took, sent) = until_answered(&client, &provider).await;
        let minutes = [1, 3, 7][bad - 1];
        assert!(took >= minutes * MINUTE && took <= minutes * MINUTE + secs(5), "{bad}: {took:?}");
        assert_eq!(sent, bad as u64 + 1, "only probes are sent meanwhile");
        let served = calls(&client, (0..20).map(|_| chat(false)).collect(), ms(100)).await;
        assert_eq!((served.answered, served.longest), (20, Duration::ZERO), "all go again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_that_is_closed_for_a_day_is_asked_once_in_ten_minutes() {
    let provider = Provider::new("primary").always(Reply::rate_limited(Some(secs(86_400))));
    let client = client_of(LimitPolicy::new(), &provider);
    let day = call(&client, chat(false)).await.unwrap();
    assert_eq!(day.status, 429);
    let error = call(&client, chat(false)).await.unwrap_err();
    assert!(error.retry_in().is_some_and(|wait| wait <= 10 * MINUTE), "{error:?}");
    calls(&client, (0..3600).map(|_| chat(false)).collect(), secs(1)).await;
    let sent = provider.count();
    assert!((6..=14).contains(&sent), "{sent} attempts in an hour");
}

#[tokio::test(start_paused = true)]
async fn a_reset_ends_a_wait_that_the_provider_asked_for() {
    let day = Reply::rate_limited(Some(secs(86_400)));
    let quota = Reply::quota_exhausted();
    let told = Reply::answer()
        .header("x-ratelimit-limit-requests", "50")
        .header("x-ratelimit-remaining-requests", "0")
        .header("x-ratelimit-reset-requests", "86400s");
    for bad in [day, quota, told] {
        let provider = Provider::new("primary").replies([bad]);
        let client = over(Client::builder(), [&provider]);
        let _ = call(&client, chat(false)).await;
        assert!(call(&client, chat(false)).await.is_err());
        client.reset(&only_route(&client));
        call(&client, chat(false)).await.unwrap().is_whole();
        assert_eq!(provider.count(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_back_is_found_within_about_a_minute() {
    let provider = Provider::new("primary").replies([Reply::quota_exhausted()]);
    let client = over(Client::builder(), [&provider]);
    let (took, _) = until_answered(&client, &provider).await;
    assert!(took <= secs(75), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn headers_that_wrongly_say_that_nothing_is_left_for_a_day_cost_a_minute_once() {
    let wrong = Reply::answer()
        .header("x-ratelimit-limit-requests", "50")
        .header("x-ratelimit-remaining-requests", "0")
        .header("x-ratelimit-reset-requests", "86400s");
    let provider = Provider::new("primary").always(wrong);
    let client = client_of(LimitPolicy::new(), &provider);
    call(&client, chat(false)).await.unwrap().is_whole();
    let (took, _) = until_answered(&client, &provider).await;
    assert!(took <= secs(65), "{took:?}");
    let served = calls(&client, (0..100).map(|_| chat(false)).collect(), secs(5)).await;
    assert_eq!((served.answered, served.failed), (100, 0), "it was found out once");
}

// === clocks ===

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_90_s_behind_or_ahead_changes_no_wait() {
    for apart in [-90_i64, 0, 90] {
        // The time of the provider's clock.
        let ours = SystemTime::now();
        let shift = secs(apart.unsigned_abs());
        let theirs = if apart < 0 { ours - shift } else { ours + shift };
        let moment = jiff::Timestamp::try_from(theirs + secs(20)).unwrap().to_string();
        let date = httpdate::fmt_http_date(theirs);
        let empty = Reply::answer()
            .header("date", &date)
            .header("anthropic-ratelimit-requests-limit", "50")
            .header("anthropic-ratelimit-requests-remaining", "0")
            .header("anthropic-ratelimit-requests-reset", &moment);
        let limited = Reply::status(429)
            .header("date", &date)
            .header("retry-after", &httpdate::fmt_http_date(theirs + secs(20)));
        for reply in [empty, limited] {
            let provider = Provider::new("primary").replies([reply]);
            let client = client_of(LimitPolicy::new(), &provider);
            call(&client, chat(false)).await.unwrap();
            let error = call(&client, with_deadline(chat(false), secs(5))).await.unwrap_err();
            let wait = error.retry_in().unwrap();
            assert!((secs(17)..=secs(23)).contains(&wait), "{apart}: {wait:?}");
        }
    }
}

// === priorities ===

#[tokio::test(start_paused = true)]
async fn batch_calls_of_59_000_tokens_make_no_interactive_call_fail_and_are_served() {
    // Interactive calls use 45 000 of the 60 000 tokens a minute.
    let text = "where is my parcel? ".repeat(130);
    let person = |n: u32| {
        let body = format!(
            r#"{{"model":"m","max_tokens":100,"messages":[{{"role":"user","content":"{n} {text}"}}]}}"#
        );
        with_extension(with_body(body), Priority::Interactive)
    };
    let large = "where is my parcel? ".repeat(11_700);
    let batch = format!(
        r#"{{"model":"m","max_tokens":100,"messages":[{{"role":"user","content":"{large}"}}]}}"#
    );
    let batch = with_deadline(with_extension(with_body(batch), Priority::Batch), 15 * MINUTE);
    // Each answer reports the estimate, by the size of its request.
    let upstream = tower::service_fn(|request: Request| async move {
        sleep(ms(800)).await;
        let input = request.body().len() / 4;
        let body = format!(
            r#"{{"choices":[{{"message":{{"role":"assistant","content":"here"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":{input},"completion_tokens":100}}}}"#
        );
        let answer = http::Response::builder().header("content-type", "application/json");
        Ok::<_, Error>(answer.body(Body::from(body)).unwrap())
    });
    let profile = limited(LimitPolicy::new().tokens(60_000));
    let client = Client::builder().profile(profile).build_with(upstream).unwrap();
    let people = calls(&client, (0..900).map(person).collect(), secs(1));
    // The first one takes all tokens, and the others have to wait until they are refilled.
    let work = calls_from(secs(20), &client, vec![batch.clone(), batch.clone(), batch]);
    let (people, work) = tokio::join!(people, work);
    println!("{people:?}; {work:?}");
    assert_eq!((people.answered, people.failed), (900, 0));
    assert!(people.longest <= secs(5), "{people:?}");
    assert_eq!((work.answered, work.failed), (3, 0));
    assert!((3 * MINUTE..12 * MINUTE).contains(&work.longest), "{work:?}");
}

async fn calls_from(then: Duration, client: &Client, requests: Vec<Request>) -> Served {
    sleep(then).await;
    calls(client, requests, secs(1)).await
}

// === answers of two lengths ===

#[tokio::test(start_paused = true)]
async fn answers_of_1_and_20_s_do_not_shrink_an_adaptive_limit() {
    let mut random = fastrand::Rng::with_seed(7);
    let reply = |slow: bool| Reply::answer().head_after(secs(if slow { 20 } else { 1 }));
    let replies: Vec<_> = (0..30_000).map(|_| reply(random.bool())).collect();
    let provider = Provider::new("primary").replies(replies);
    let adaptive = evenkeel::limit::AdaptivePolicy::default();
    let policy = LimitPolicy::new().concurrency(Concurrency::Adaptive(adaptive));
    let profile = Profile::pipeline().limit(policy).retry(RetryPolicy::new().retries(0));
    let client = over(Client::builder().profile(profile), [&provider]);
    let callers = (0..150).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            loop {
                let _ = call(&client, chat(true)).await;
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    let mut limits = Vec::new();
    for _ in 0..30 {
        sleep(MINUTE).await;
        limits.push(client.limits().list().remove(0).1.concurrency.unwrap());
    }
    callers.iter().for_each(tokio::task::JoinHandle::abort);
    println!("{limits:?}");
    assert!(limits[10..].iter().all(|limit| *limit >= 100), "{limits:?}");
}
