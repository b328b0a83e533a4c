//! Kept connections that a provider has closed, over real sockets and the real clock.

use std::{future::Future, sync::Arc};

use evenkeel::{
    Client, Profile, breaker::CircuitState, context::AttemptLog, telemetry::EventKind,
    timeout::TimeoutPolicy,
};
use evenkeel_testkit::{IdleFault, Incident, Provider, Reply, Server, WORDS};
use futures_util::future::join_all;
use tokio::time::sleep;

use crate::support::{EventLog, assert_no_failure, ms, wait_until};

const JSON: &str = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
const STREAM: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;

struct Stage {
    server: Server,
    client: Client,
    log: EventLog,
}

/// Answers take long enough that concurrent calls need a connection each.
async fn stage(build: impl FnOnce(evenkeel::ClientBuilder) -> Client) -> Stage {
    let provider = Provider::new("primary").always(Reply::answer().head_after(ms(150)));
    let server = Server::start(provider).await.unwrap();
    let log = EventLog::default();
    let client = build(log.attach_to(Client::builder()));
    Stage { server, client, log }
}

async fn own() -> Stage {
    stage(|builder| builder.build().unwrap()).await
}

/// A client of the user, with its own pool.
async fn given() -> Stage {
    let transport = reqwest::Client::builder().retry(reqwest::retry::never()).build().unwrap();
    stage(|builder| builder.build_with_reqwest(transport).unwrap()).await
}

impl Stage {
    /// Makes one call. Returns the text of its answer, or the error.
    async fn call(&self, path: &str, body: &'static str) -> Result<String, String> {
        let url = format!("{}{path}", self.server.url()).parse().unwrap();
        let mut request = reqwest::Request::new(reqwest::Method::POST, url);
        *request.body_mut() = Some(body.into());
        let response = self.client.execute(request).await.map_err(|error| format!("{error:?}"))?;
        let (status, sent) = (response.status(), AttemptLog::of(response.extensions()).sent());
        let text = response.text().await.map_err(|error| format!("{error:?}"))?;
        match status.is_success() && sent == 1 {
            true => Ok(text),
            false => Err(format!("{status}, {sent} attempts: {text}")),
        }
    }

    async fn chat(&self) -> Result<String, String> {
        self.call("/v1/chat/completions", JSON).await
    }

    /// Opens `n` connections and keeps them idle.
    async fn keep(&self, n: usize) {
        for answer in join_all((0..n).map(|_| self.chat())).await {
            answer.unwrap();
        }
        wait_until(|| self.server.idle_connections() == n).await;
    }

    fn assert_untouched(&self) {
        self.assert_no_failure();
        assert_eq!(self.count(|event| matches!(event, EventKind::RetryWaiting { .. })), 0);
    }

    fn assert_no_failure(&self) {
        assert_no_failure(&self.client);
    }

    fn count(&self, is_one: impl Fn(&EventKind) -> bool) -> usize {
        self.log.events().iter().filter(|event| is_one(event)).count()
    }

    fn lost(&self, again: bool) -> usize {
        self.count(|event| match event {
            EventKind::ConnectionLost { sent_again, .. } => *sent_again == again,
            _ => false,
        })
    }
}

fn answered(answers: &[Result<String, String>]) -> usize {
    for answer in answers {
        if let Err(why) = answer {
            eprintln!("not answered: {why}");
        }
    }
    answers.iter().filter(|answer| answer.as_ref().is_ok_and(|it| it.contains(WORDS))).count()
}

/// `n` kept connections die, and eight calls follow, first sequentially and then concurrently.
async fn node_replaced<F: Future<Output = Stage>>(n: usize, make: impl Fn() -> F) {
    for (fault, at_once) in
        [(IdleFault::Reset, false), (IdleFault::Reset, true), (IdleFault::Close, true)]
    {
        let stage = make().await;
        stage.keep(n).await;
        stage.server.kill_idle(fault);
        let answers = match at_once {
            true => join_all((0..8).map(|_| stage.chat())).await,
            false => {
                let mut answers = Vec::new();
                for _ in 0..8 {
                    answers.push(stage.chat().await);
                }
                answers
            }
        };
        assert_eq!(answered(&answers), 8, "{n} kept, {fault:?}, at once: {at_once}");
        stage.assert_untouched();
    }
}

#[tokio::test]
async fn node_replaced_all_eight_calls_are_answered_with_2_kept_connections() {
    node_replaced(2, own).await;
    node_replaced(2, given).await;
}

#[tokio::test]
async fn node_replaced_all_eight_calls_are_answered_with_8_kept_connections() {
    node_replaced(8, own).await;
    node_replaced(8, given).await;
}

#[tokio::test]
async fn node_replaced_all_eight_calls_are_answered_with_64_kept_connections() {
    node_replaced(64, own).await;
    node_replaced(64, given).await;
}

#[tokio::test]
async fn one_dead_connection_stops_the_use_of_the_others() {
    let stage = own().await;
    stage.keep(8).await;
    stage.server.kill_idle(IdleFault::Reset);
    for _ in 0..8 {
        stage.chat().await.unwrap();
    }
    assert_eq!(stage.lost(true), 1);
}

#[tokio::test]
async fn a_provider_that_closes_each_connection_at_its_second_request_answers_100_of_100() {
    for stage in [own().await, given().await] {
        stage.server.provider().set(Reply::answer());
        stage.server.close_at_request(2);
        let mut answers = Vec::new();
        for _ in 0..100 {
            answers.push(stage.chat().await);
        }
        assert_eq!(answered(&answers), 100);
        assert!(stage.lost(true) > 0);
        stage.assert_untouched();
    }
}

/// Fifty callers with a number of calls each.
async fn fifty_callers(stage: &Stage, calls: usize) {
    stage.server.provider().set(Reply::answer());
    let caller = || async {
        let mut answers = Vec::new();
        for _ in 0..calls {
            answers.push(stage.chat().await);
        }
        answers
    };
    let answers = join_all((0..50).map(|_| caller())).await.concat();
    assert_eq!(answered(&answers), 50 * calls);
    stage.assert_untouched();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_callers_at_once_are_answered_though_each_connection_is_closed_after_its_answer() {
    for stage in [own().await, given().await] {
        stage.server.close_after_answers(true);
        fifty_callers(&stage, 40).await;
    }
}

#[tokio::test]
async fn fifty_callers_at_once_are_answered_though_each_connection_is_closed_at_its_second_request()
{
    for stage in [own().await, given().await] {
        stage.server.close_at_request(2);
        fifty_callers(&stage, 10).await;
        assert!(stage.lost(true) > 0);
    }
}

#[tokio::test]
async fn silence_on_kept_connections_costs_one_timeout_and_counts_against_no_provider() {
    let limits = TimeoutPolicy::new().attempt(ms(800)).first_event(ms(800));
    let profile = Profile::interactive().timeout(limits);
    for body in [JSON, STREAM] {
        let profile = profile.clone();
        let stage = stage(|builder| builder.profile(profile).build().unwrap()).await;
        stage.keep(8).await;
        stage.server.kill_idle(IdleFault::Silence);
        let (mut timeouts, mut answers) = (0, 0);
        for _ in 0..8 {
            let url = format!("{}/v1/chat/completions", stage.server.url()).parse().unwrap();
            let mut request = reqwest::Request::new(reqwest::Method::POST, url);
            *request.body_mut() = Some(body.into());
            let response = stage.client.execute(request).await.unwrap();
            timeouts += AttemptLog::of(response.extensions()).sent() - 1;
            answers += usize::from(response.text().await.is_ok());
        }
        assert_eq!((timeouts, answers), (1, 8));
        let passed = stage.count(|event| matches!(event, EventKind::TimedOut { .. }));
        assert_eq!((passed, stage.lost(false)), (1, 1));
        stage.assert_no_failure();
    }
}

#[tokio::test]
async fn silence_on_new_connections_counts_against_the_provider() {
    let limits = TimeoutPolicy::new().attempt(ms(100)).first_event(ms(100));
    let stage =
        stage(|builder| builder.profile(Profile::interactive().timeout(limits)).build().unwrap());
    let stage = stage.await;
    stage.server.provider().set(Reply::answer());
    stage.keep(1).await;
    stage.server.provider().set(Reply::hang());
    for _ in 0..12 {
        let _ = stage.chat().await;
    }
    let (_, shown) = stage.client.breakers().list().remove(0);
    assert_eq!((stage.lost(false), shown.state), (1, CircuitState::Open));
}

#[tokio::test]
async fn a_request_that_may_have_been_executed_is_not_sent_again_and_does_not_count() {
    let stage = own().await;
    stage.keep(1).await;
    let before = stage.server.provider().count();
    stage.server.kill_idle(IdleFault::Reset);
    let url = format!("{}/v1/batches", stage.server.url()).parse().unwrap();
    let mut request = reqwest::Request::new(reqwest::Method::POST, url);
    *request.body_mut() = Some("{}".into());
    let _ = stage.client.execute(request).await;
    assert_eq!((stage.lost(false), stage.lost(true)), (1, 0));
    stage.assert_no_failure();
    assert!(stage.server.provider().count() >= before);
}

#[tokio::test]
async fn connections_lost_on_new_connections_count_against_the_provider() {
    let stage = own().await;
    stage.server.provider().set(Reply::reset());
    for _ in 0..12 {
        let _ = stage.chat().await;
    }
    let (_, shown) = stage.client.breakers().list().remove(0);
    assert_eq!((shown.state, stage.lost(true) + stage.lost(false)), (CircuitState::Open, 0));
}

#[tokio::test]
async fn a_stream_that_breaks_after_its_head_is_not_begun_again() {
    let stage = own().await;
    stage.keep(1).await;
    let before = stage.server.provider().count();
    let cut = evenkeel_testkit::Fault::ResetAfter { bytes: 300 };
    stage.server.provider().set(Reply::answer().with(cut));
    assert!(stage.call("/v1/files", JSON).await.is_err());
    assert_eq!((stage.lost(true), stage.lost(false)), (0, 0));
    assert!(stage.server.provider().count() > before);
}

#[tokio::test]
async fn a_dropped_client_leaves_no_task_behind() {
    let stage = Arc::new(own().await);
    stage.keep(2).await;
    stage.server.kill_idle(IdleFault::Silence);
    let under_way = {
        let stage = stage.clone();
        tokio::spawn(async move { stage.chat().await })
    };
    sleep(ms(50)).await;
    under_way.abort();
    let _ = under_way.await;
    assert_eq!(stage.lost(true) + stage.lost(false), 0);
}

#[cfg(feature = "reqwest-middleware")]
#[tokio::test]
async fn node_replaced_all_eight_calls_are_answered_through_the_middleware() {
    use evenkeel::adapter::reqwest_middleware::EvenkeelMiddleware;
    let slow = Provider::new("primary").always(Reply::answer().head_after(ms(150)));
    let server = Server::start(slow).await.unwrap();
    let evenkeel = EvenkeelMiddleware::new(Client::builder()).unwrap();
    let transport = reqwest::Client::builder().retry(reqwest::retry::never()).build().unwrap();
    let breakers = evenkeel.breakers().clone();
    let client = reqwest_middleware::ClientBuilder::new(transport).with(evenkeel).build();
    let url = format!("{}/v1/chat/completions", server.url());
    let ask = || async {
        let response = client.post(&url).body(JSON).send().await.unwrap();
        let sent = AttemptLog::of(response.extensions()).sent();
        assert_eq!((response.status().as_u16(), sent), (200, 1));
        response.text().await.unwrap()
    };
    for n in [2, 8, 64] {
        join_all((0..n).map(|_| ask())).await;
        wait_until(|| server.idle_connections() >= n).await;
        server.kill_idle(IdleFault::Reset);
        join_all((0..8).map(|_| ask())).await;
        assert_eq!(breakers.list()[0].1.state, CircuitState::Closed);
    }
}

#[tokio::test]
async fn an_incident_in_which_a_node_is_replaced_resets_what_clients_keep_to_its_server() {
    let day = r#"{"name": "x", "states": {"new": {"kept": "reset"}}, "phases_min": [
        {"from": 0, "to": 1, "provider": "healthy"}, {"from": 1, "to": 2, "provider": "new"}]}"#;
    // A minute is two seconds.
    let schedule = Incident::parse(day).unwrap().primary_schedule().scale(1.0 / 30.0);
    let server = Server::start(Provider::new("primary").following(schedule)).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never());
    let client = client.build().unwrap();
    let url = format!("{}/v1/chat/completions", server.url());
    let call = async || client.post(&url).body(JSON).send().await?.text().await;
    call().await.unwrap();
    wait_until(|| server.idle_connections() == 1).await;
    sleep(ms(2200)).await;
    assert!(call().await.is_err(), "its connection is dead, and nobody knew");
    assert!(call().await.unwrap().contains(WORDS), "a new one is well");
}
