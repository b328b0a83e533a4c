//! Faults on purpose: what the guard makes of each, the switch, the marks, and two laws.

#[cfg(feature = "serde")]
mod file;
mod laws;
mod marks;
mod outcomes;

use evenkeel::{
    Client, ClientBuilder, Request,
    chaos::{ChaosPolicy, ChaosRule, ChaosSwitch, Fault, FaultKind},
};
use evenkeel_testkit::Provider;
use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{
    Answer, EventLog, Stage, call, chat, ms, over, pair, read, secondary, secs, without_retries,
};

/// A client over a healthy primary alone, with one rule, switched on.
fn with_rule(rule: ChaosRule) -> (Client, Provider, ChaosSwitch) {
    let (primary, switch) = (Provider::new("primary"), ChaosSwitch::new());
    let policy = ChaosPolicy::new(&switch).seed(7).rule(rule);
    let client = over(Client::builder().profile(without_retries()).chaos(policy), [&primary]);
    switch.on();
    (client, primary, switch)
}

fn chaos(builder: ClientBuilder, switch: &ChaosSwitch, rule: ChaosRule) -> ClientBuilder {
    builder.chaos(ChaosPolicy::new(switch).seed(7).rule(rule))
}

/// The kinds of the faults of a call's attempts, from the attempt log of its answer or its error.
async fn faults(client: &Client, request: Request) -> Vec<Option<FaultKind>> {
    let log = match call(client, request).await {
        Ok(answer) => answer.attempt_log,
        Err(error) => error.attempt_log().cloned(),
    };
    log.unwrap().attempts().iter().map(|attempt| attempt.injected).collect()
}

// === the switch ===

#[tokio::test(start_paused = true)]
async fn a_client_with_chaos_that_is_off_answers_byte_for_byte_as_one_without() {
    let switch = ChaosSwitch::new();
    let providers = [Provider::new("primary"), Provider::new("primary")];
    let plain = over(Client::builder(), [&providers[0]]);
    let armed = ChaosRule::new(FaultKind::Reset);
    let armed = over(chaos(Client::builder(), &switch, armed), [&providers[1]]);
    for stream in [false, true] {
        let [one, other] = [&plain, &armed].map(|client| call(client, chat(stream)));
        let [one, other] = [one.await.unwrap(), other.await.unwrap()];
        assert_eq!((&one.headers, &one.frames), (&other.headers, &other.frames));
        other.is_whole();
    }
    let [one, other] = providers.each_ref().map(|provider| {
        let attempts = provider.attempts();
        attempts.into_iter().map(|attempt| (attempt.path, attempt.headers)).collect::<Vec<_>>()
    });
    assert_eq!(one, other);
    assert_eq!((switch.injected(), armed.chaos().unwrap().is_on()), (0, false));
    assert!(plain.chaos().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_kill_switch_ends_a_hang_at_once_and_the_request_is_sent_then() {
    let (client, primary, switch) = with_rule(ChaosRule::new(FaultKind::Hang));
    let hanging = tokio::spawn(async move { call(&client, chat(false)).await.unwrap() });
    sleep(secs(2)).await;
    assert_eq!((primary.count(), hanging.is_finished()), (0, false));
    let killed = Instant::now();
    switch.off();
    hanging.await.unwrap().is_whole();
    assert!(killed.elapsed() < ms(10), "{:?}", killed.elapsed());
    assert_eq!(primary.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_kill_switch_ends_every_fault_of_a_body_at_once_and_nothing_is_lost() {
    let faults = [
        Fault::Stall { events: 5 },
        Fault::Silence { events: 5, lasts: secs(10) },
        Fault::SlowEvents { every: secs(10) },
        Fault::Drip { bytes: 1, every: ms(100) },
        Fault::Comments { every: ms(100), count: 1_000_000 },
    ];
    for (fault, stream) in
        faults.into_iter().flat_map(|fault| [(fault.clone(), true), (fault, false)])
    {
        let shown = format!("{fault:?} {stream}");
        let (client, _, switch) = with_rule(ChaosRule::new(fault));
        let reading = tokio::spawn(async move { call(&client, chat(stream)).await.unwrap() });
        sleep(secs(2)).await;
        if !reading.is_finished() {
            let killed = Instant::now();
            switch.off();
            let answer = reading.await.unwrap();
            answer.is_whole();
            assert!(killed.elapsed() < ms(10), "{shown}: {:?}", killed.elapsed());
        } else {
            assert!(!stream && shown.starts_with("SlowEvents"), "{shown} was over in 2 s");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn chaos_switches_itself_off_after_its_time_and_says_so() {
    let (primary, switch) = (Provider::new("primary"), ChaosSwitch::for_at_most(secs(3)));
    let log = EventLog::default();
    let rule = ChaosRule::new(FaultKind::Hang);
    let client = over(log.attach_to(chaos(Client::builder(), &switch, rule)), [&primary]);
    switch.on();
    let start = Instant::now();
    call(&client, chat(false)).await.unwrap().is_whole();
    assert_eq!(start.elapsed().as_secs(), 3);
    assert!(!switch.is_on());
    call(&client, chat(false)).await.unwrap().is_whole();
    let ended = |event: &evenkeel::telemetry::EventKind| {
        matches!(event, evenkeel::telemetry::EventKind::ChaosOff { expired: true, injected, .. }
            if **injected == [(FaultKind::Hang, 1)])
    };
    assert_eq!(log.events().iter().filter(|event| ended(event)).count(), 1);
    assert_eq!((log.count("chaos_on"), log.count("chaos_off")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn that_chaos_is_on_is_reported_once_a_minute_with_the_counts() {
    let log = EventLog::default();
    let (primary, switch) = (Provider::new("primary"), ChaosSwitch::new());
    let rule = ChaosRule::new(FaultKind::Page).share(0.5);
    let client = over(log.attach_to(chaos(Client::builder(), &switch, rule)), [&primary]);
    call(&client, chat(false)).await.unwrap();
    assert_eq!(log.count("chaos_on"), 0);
    switch.on();
    for _ in 0..18 {
        let _ = call(&client, chat(false)).await;
        sleep(secs(10)).await;
    }
    assert_eq!(log.count("chaos_on"), 3, "at the begin, and after one and two minutes");
    switch.off();
    call(&client, chat(false)).await.unwrap().is_whole();
    assert_eq!(log.count("chaos_off"), 1);
    assert_eq!(log.count("fault_injected") as u64, switch.injected());
    assert_eq!(switch.injected_by_kind().len(), 1);
}

// === which attempts ===

#[tokio::test(start_paused = true)]
async fn the_share_holds_and_is_the_same_in_every_run() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let (client, ..) = with_rule(ChaosRule::new(FaultKind::ContextLength).share(0.3));
        let mut run = Vec::new();
        for _ in 0..500 {
            run.extend(faults(&client, chat(false)).await);
        }
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    let hits = runs[0].iter().flatten().count();
    // The count of that seed; 30 % of 500 is 150.
    assert_eq!((runs[0].len(), hits), (500, 154));
}

#[tokio::test(start_paused = true)]
async fn a_rule_is_for_its_target_its_model_and_its_operation_alone() {
    let table = [
        (ChaosRule::new(FaultKind::Status).target("primary"), [true, false]),
        (ChaosRule::new(FaultKind::Status).target("second*"), [false, true]),
        (ChaosRule::new(FaultKind::Status).model("spare"), [false, true]),
        (ChaosRule::new(FaultKind::Status).model("?"), [false, false]),
        (
            ChaosRule::new(FaultKind::Status).operation(evenkeel::dialect::Operation::Audio),
            [false; 2],
        ),
        (ChaosRule::new(FaultKind::Status), [true, true]),
    ];
    for (rule, [first, second]) in table {
        let (switch, shown) = (ChaosSwitch::new(), format!("{rule:?}"));
        let builder = chaos(Client::builder().profile(without_retries()), &switch, rule);
        let stage = Stage::with(Provider::new("primary"), builder);
        switch.on();
        // The second is asked once the first is down.
        let _ = call(&stage.client, chat(false)).await;
        stage.primary.set(evenkeel_testkit::Reply::status(503));
        let _ = call(&stage.client, chat(false)).await;
        let asked = [if first { 0 } else { 2 }, u64::from(!second) * (1 + u64::from(first))];
        assert_eq!(stage.attempts(), asked, "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_begins_and_ends_in_its_window() {
    let rule = ChaosRule::new(FaultKind::Blocked).after(secs(60)).lasts(secs(600));
    let (client, ..) = with_rule(rule);
    let mut hits = Vec::new();
    for minute in 0..13 {
        if faults(&client, chat(false)).await[0].is_some() {
            hits.push(minute);
        }
        sleep(secs(60)).await;
    }
    assert_eq!(hits, (1..11).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn no_more_faults_than_allowed_are_in_progress() {
    let rule = ChaosRule::new(Fault::Stall { events: 5 }).at_most(3);
    let (client, ..) = with_rule(rule);
    for _ in 0..2 {
        let calls = join_all((0..10).map(|_| call(&client, chat(true)))).await;
        let stalled = calls.iter().filter(|answer| answer.as_ref().unwrap().error.is_some());
        assert_eq!(stalled.count(), 3, "and their places are free again afterwards");
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_on_purpose_opens_the_breaker_and_the_fallback_answers_until_it_is_over() {
    let switch = ChaosSwitch::new();
    let rule = ChaosRule::new(FaultKind::Reset).target("primary");
    let stage = Stage::with(Provider::new("primary"), chaos(Client::builder(), &switch, rule));
    switch.on();
    for _ in 0..60 {
        let answer = stage.ask(true).await;
        answer.is_whole();
        assert_eq!(answer.from(), "secondary");
        sleep(secs(1)).await;
    }
    assert_eq!(stage.primary.count(), 0);
    assert!(stage.log.count("breaker_refused") > 0, "the breaker has opened");
    switch.off();
    let mut by_primary = 0;
    for _ in 0..120 {
        let answer = stage.ask(true).await;
        answer.is_whole();
        by_primary += u32::from(answer.from() == "primary");
        sleep(secs(1)).await;
    }
    assert!(by_primary > 60, "{by_primary}");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_has_one_fault_at_most_even_if_its_request_is_sent_twice() {
    use evenkeel::{BoxError, credentials::Credentials, fallback::Target};
    let fetched = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let source = move || {
        let number = fetched.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        async move { Ok::<_, BoxError>(Credentials::bearer(&format!("token {number}"))) }
    };
    let primary = Provider::new("primary");
    let switch = ChaosSwitch::new();
    let unauthorized = Fault::Status { status: http::StatusCode::UNAUTHORIZED };
    let target = Target::new("http://primary/v1").credentials(source);
    let builder = Client::builder().primary(target).profile(without_retries());
    let client = over(chaos(builder, &switch, ChaosRule::new(unauthorized)), [&primary]);
    // The token is older than that which a rejection just after its fetch would prove wrong.
    call(&client, chat(false)).await.unwrap().is_whole();
    sleep(secs(60)).await;
    switch.on();
    call(&client, chat(false)).await.unwrap().is_whole();
    assert_eq!((switch.injected(), primary.count()), (1, 2), "sent again with another token");
}

// === invalid settings ===

#[test]
fn a_value_that_is_not_allowed_is_refused_with_its_field() {
    let reset = || ChaosRule::new(FaultKind::Reset);
    let long = ChaosSwitch::for_at_most(secs(90_000));
    let ok = ChaosSwitch::new();
    let refused = |switch: &ChaosSwitch, rule: ChaosRule| {
        let policy = ChaosPolicy::new(switch).rule(reset()).rule(rule);
        let built = Client::builder().chaos(policy).build_with(Provider::new("p"));
        built.map(drop).unwrap_err().to_string()
    };
    let teapot = |status| Fault::Status { status: http::StatusCode::from_u16(status).unwrap() };
    for (error, expected) in [
        (
            refused(&ok, reset().share(1.5)),
            "chaos.rule[1].share is 1.5; allowed is a number from 0 to 1",
        ),
        (
            refused(&ok, reset().share(f64::NAN)),
            "chaos.rule[1].share is NaN; allowed is a number from 0 to 1",
        ),
        (
            refused(&ok, reset().lasts(secs(0))),
            "chaos.rule[1].for is 0ns; allowed is longer than zero",
        ),
        (refused(&ok, reset().at_most(0)), "chaos.rule[1].at_most is 0; allowed is at least 1"),
        (
            refused(&ok, reset().model(" ")),
            "chaos.rule[1].model is \"\"; allowed is a name, in which * stands for any characters",
        ),
        (
            refused(&ok, ChaosRule::new(teapot(200))),
            "chaos.rule[1].status is 200; allowed is 400 to 599",
        ),
        (
            refused(&ok, ChaosRule::new(Fault::Drip { bytes: 0, every: ms(1) })),
            "chaos.rule[1].bytes is 0; allowed is at least 1",
        ),
        (
            refused(&ok, ChaosRule::new(Fault::Comments { every: ms(0), count: 1 })),
            "chaos.rule[1].every is 0ns; allowed is 1 ms and more",
        ),
        (refused(&long, reset()), "chaos.for_at_most is 90000s; allowed is from 1s to 24 hours"),
    ] {
        assert_eq!(error, expected);
    }
}
