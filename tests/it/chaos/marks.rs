//! An injected fault is never taken for a real one.

use evenkeel::{Error, chaos::InjectedFault, telemetry::Event};

use super::*;

/// The injected fault among the sources of an error.
fn injected(error: &Error) -> Option<FaultKind> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let inner = inner.and_then(|inner| inner.downcast_ref::<InjectedFault>());
        if let Some(fault) = inner.or(error.downcast_ref()) {
            return Some(fault.kind());
        }
        next = error.source();
    }
    None
}

#[tokio::test(start_paused = true)]
async fn every_answer_with_a_fault_has_its_name_in_a_header() {
    for kind in FaultKind::ALL {
        for stream in [false, true] {
            let (client, ..) = with_rule(ChaosRule::new(*kind));
            // Whether the fault shows in the head, or in an error, or chaos has let the request pass.
            let Ok(response) = client.send(chat(stream)).await else { continue };
            let log = response.extensions().get::<evenkeel::context::AttemptLog>().unwrap();
            let fault = log.attempts()[0].injected.map(FaultKind::name);
            let header = response.headers().get("evenkeel-chaos").map(|it| it.to_str().unwrap());
            assert_eq!(header, fault, "{kind} {stream}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_has_the_fault_among_its_sources_before_the_head_and_in_the_body() {
    for kind in [FaultKind::Refused, FaultKind::Reset, FaultKind::Closed] {
        let (client, ..) = with_rule(ChaosRule::new(kind));
        let error = call(&client, chat(false)).await.unwrap_err();
        assert_eq!(injected(&error), Some(kind));
    }
    let (client, ..) = with_rule(ChaosRule::new(FaultKind::Cut));
    let answer = call(&client, chat(true)).await.unwrap();
    assert_eq!(injected(&answer.error.unwrap()), Some(FaultKind::Cut));
}

#[tokio::test(start_paused = true)]
async fn the_attempt_log_names_the_faults_of_its_attempts_and_of_no_others() {
    let switch = ChaosSwitch::new();
    let rule = ChaosRule::new(FaultKind::Reset).target("primary");
    let builder = Client::builder().profile(without_retries());
    let stage = Stage::with(Provider::new("primary"), chaos(builder, &switch, rule));
    switch.on();
    let log = stage.ask(false).await.attempt_log.unwrap();
    let faults: Vec<_> = log.attempts().iter().map(|attempt| attempt.injected).collect();
    assert_eq!(faults, [Some(FaultKind::Reset), None]);
    assert!(log.to_string().starts_with("primary broken (chaos: reset) in"), "{log}");
}

#[tokio::test(start_paused = true)]
async fn the_faults_of_an_outage_are_events_of_their_calls() {
    let (primary, second) = pair();
    let (switch, log) = (ChaosSwitch::new(), EventLog::default());
    let rule = ChaosRule::new(FaultKind::Reset).target("primary").share(0.5);
    let builder = chaos(log.attach_to(Client::builder()), &switch, rule).fallback(secondary());
    let client = over(builder, [&primary, &second]);
    switch.on();
    for _ in 0..50 {
        call(&client, chat(false)).await.unwrap().is_whole();
    }
    let calls = log.by_call();
    let count =
        |events: &Vec<&str>| events.iter().filter(|name| **name == "fault_injected").count();
    assert_eq!(calls.values().map(count).sum::<usize>() as u64, switch.injected());
    assert!(calls.get(&None).is_none_or(|events| count(events) == 0));
}

#[cfg(feature = "metrics")]
#[tokio::test(start_paused = true)]
async fn a_counter_counts_the_faults_of_each_kind() {
    use evenkeel::telemetry::Metrics;
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let (primary, switch) = (Provider::new("primary"), ChaosSwitch::new());
    let rule = ChaosRule::new(FaultKind::Page).share(0.5);
    let builder = chaos(Client::builder(), &switch, rule).observe(Metrics::with_recorder(recorder));
    let client = over(builder, [&primary]);
    switch.on();
    for _ in 0..40 {
        let _ = call(&client, chat(false)).await;
    }
    let seen = snapshotter.snapshot().into_vec();
    let counts = seen.into_iter().filter(|(key, ..)| key.key().name() == "evenkeel.chaos.injected");
    let counts: Vec<_> = counts
        .map(|(key, _, _, value)| {
            let labels = key.key().labels().map(|it| (it.key().to_owned(), it.value().to_owned()));
            (labels.collect::<Vec<_>>(), value)
        })
        .collect();
    assert_eq!(counts.len(), FaultKind::ALL.len(), "each is there from the start");
    for (labels, value) in counts {
        let [(name, fault)] = &labels[..] else { panic!("{labels:?}") };
        let count = if fault == "page" { switch.injected() } else { 0 };
        assert_eq!((name.as_str(), value), ("fault", DebugValue::Counter(count)), "{fault}");
    }
    assert!(switch.injected() > 10);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_panics_takes_no_call_along() {
    let (primary, switch) = (Provider::new("primary"), ChaosSwitch::new());
    let rule = ChaosRule::new(FaultKind::SlowHead);
    let builder = chaos(Client::builder(), &switch, rule).observe(|event: &Event| {
        assert!(!event.name().contains("chaos") && event.name() != "fault_injected");
    });
    let client = over(builder, [&primary]);
    switch.on();
    call(&client, chat(false)).await.unwrap().is_whole();
}
