//! A model that some of the equal targets lack.

use super::*;
use crate::support::with_body;

/// Three keys, with calls for a usual model and for a rare one.
struct Models {
    usual: Keys,
    rare: Keys,
    log: EventLog,
}

const KEYS: [usize; 3] = [0, 1, 2];

impl Models {
    /// The rare model is unknown for these keys.
    fn without(lack: &[usize]) -> Self {
        let models = Self { usual: Keys::new(), rare: Keys::new(), log: EventLog::default() };
        lack.iter().for_each(|at| models.rare.0[*at].set(unknown(404)));
        models
    }

    fn client(&self) -> Client {
        self.over(three())
    }

    fn over(&self, builder: ClientBuilder) -> Client {
        let (usual, rare) = (self.usual.upstream(), self.rare.upstream());
        let upstream = service_fn(move |request: Request| {
            let is_rare = String::from_utf8_lossy(request.body()).contains(r#""rare""#);
            let mut of_it = if is_rare { rare.clone() } else { usual.clone() };
            of_it.call(request)
        });
        self.log.attach_to(builder).build_with(upstream).unwrap()
    }
}

fn unknown(status: u16) -> Reply {
    Reply::error(status, "invalid_request_error", "model_not_found").head_after(ms(50))
}

fn rare() -> Request {
    with_body(r#"{"model":"rare","messages":[{"role":"user","content":"where is my parcel?"}]}"#)
}

/// Makes a number of calls one after another, each for the rare model and answered.
async fn answered(client: &Client, calls: u64) {
    for _ in 0..calls {
        call(client, rare()).await.unwrap().is_whole();
    }
}

/// Makes a call for the rare model and one for the usual model each second, for a time; all are answered.
async fn both(client: &Client, lasts: Duration) {
    let end = Instant::now() + lasts;
    while Instant::now() < end {
        answered(client, 1).await;
        call(client, chat(false)).await.unwrap().is_whole();
        tokio::time::sleep(secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_without_a_model_is_asked_for_that_model_once_a_minute_and_for_others_as_before() {
    for status in [403, 404] {
        let models = Models::without(&[]);
        models.rare.0[0].set(unknown(status));
        both(&models.client(), secs(600)).await;
        let [a, b, c] = models.rare.counts();
        assert!((5..=11).contains(&a), "{status}: {a}");
        assert!(b > 100 && c > 100, "{status}: {b}, {c}");
        let [a, b, c] = models.usual.counts();
        let share = a as f64 / (a + b + c) as f64;
        assert!(share > 0.25, "{status}: {a}, {b}, {c}");
        assert_eq!(models.log.count("target_ejected"), 0, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_minute_one_of_many_concurrent_calls_tries_the_key() {
    let models = Models::without(&[0]);
    let client = models.client();
    both(&client, secs(20)).await;
    assert_eq!(models.rare.counts()[0], 1);
    tokio::time::sleep(secs(61)).await;
    let calls: Vec<_> = (0..60).map(|_| call(&client, rare())).collect();
    for answer in futures_util::future::join_all(calls).await {
        answer.unwrap().is_whole();
    }
    assert_eq!(models.rare.counts()[0], 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_given_the_model_has_its_share_again_within_two_minutes() {
    let models = Models::without(&[0]);
    let client = models.client();
    both(&client, secs(30)).await;
    well(models.rare.0[0].clone(), 1);
    both(&client, secs(120)).await;
    models.rare.forget();
    answered(&client, 90).await;
    assert!(models.rare.counts()[0] > 15, "{:?}", models.rare.counts());
}

/// Each call makes all its attempts: the first and two retries.
#[tokio::test(start_paused = true)]
async fn a_model_that_no_key_has_is_asked_for_everywhere_in_each_call_and_changes_nothing() {
    let models = Models::without(&KEYS);
    let client = models.client();
    for n in 1..=10 {
        assert_eq!(call(&client, rare()).await.unwrap().status, 404);
        assert_eq!(models.rare.counts(), [n; 3]);
    }
    assert_eq!(models.log.count("target_ejected"), 0);
    // One key gets the model: the next call finds it.
    models.rare.0[1].set(Reply::answer());
    answered(&client, 1).await;
    for _ in 0..60 {
        call(&client, chat(false)).await.unwrap().is_whole();
    }
    assert!(models.usual.counts().iter().all(|count| *count > 8), "{:?}", models.usual.counts());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_has_the_model_by_now_answers_where_the_others_fail() {
    // Failing keys get three attempts each before they are ejected, which is two calls.
    for (reply, most) in [(Reply::status(503), 2), (Reply::status(401), 0), (unknown(404), 0)] {
        let models = Models::without(&[0]);
        let client = models.client();
        both(&client, secs(20)).await;
        assert_eq!(models.rare.counts()[0], 1, "{reply:?}");
        well(models.rare.0[0].clone(), 1);
        for at in [1, 2] {
            models.rare.0[at].set(reply.clone());
        }
        let begun = Instant::now();
        let mut lost = 0;
        while begun.elapsed() < secs(30) {
            let answer = call(&client, rare()).await;
            lost += u64::from(!answer.is_ok_and(|answer| answer.status == 200));
            tokio::time::sleep(ms(100)).await;
        }
        assert!(lost <= most, "{reply:?}: {lost}");
        assert!(models.rare.counts()[0] > 20, "{reply:?}: {:?}", models.rare.counts());
    }
}

/// Without the memory of missing models, every third call would fail.
#[tokio::test(start_paused = true)]
async fn without_retries_one_call_a_minute_is_lost_to_a_key_without_the_model() {
    let models = Models::without(&[0]);
    let profile = Profile::interactive().retry(RetryPolicy::new().retries(0));
    let client = models.over(three().profile(profile));
    let mut lost = 0;
    for _ in 0..100 {
        lost += u64::from(call(&client, rare()).await.unwrap().status == 404);
    }
    assert_eq!(lost, 1);
}

#[tokio::test(start_paused = true)]
async fn sticky_calls_to_a_key_without_their_model_go_to_the_next_in_their_order() {
    let models = Models::without(&[0]);
    let client = models.client();
    for n in 0..30 {
        let mut homes = Vec::new();
        for _ in 0..3 {
            let mut request = rare();
            request.extensions_mut().insert(AffinityKey::new(format!("conversation {n}")));
            let answer = call(&client, request).await.unwrap();
            answer.is_whole();
            homes.push(answer.attempt_log.unwrap().attempts().pop().unwrap().route);
        }
        homes.dedup();
        assert_eq!(homes.len(), 1, "{homes:?}");
    }
    assert_eq!(models.rare.counts()[0], 1);
}

#[tokio::test(start_paused = true)]
async fn a_model_missing_in_one_operation_is_still_asked_for_in_another() {
    let models = Models::without(&[0]);
    let client = models.client();
    answered(&client, 20).await;
    assert_eq!(models.rare.counts()[0], 1);
    let body = r#"{"model":"rare","input":"where is my parcel?"}"#;
    for _ in 0..20 {
        let request =
            http::Request::post("http://primary/v1/embeddings").body(body.into()).unwrap();
        call(&client, request).await.unwrap();
    }
    assert!(models.rare.counts()[0] > 1, "{:?}", models.rare.counts());
}
