//! A bot on 4 June 2024, as a test in virtual time.

use evenkeel::{Client, ClientBuilder, fallback::Fallback};
use evenkeel_testkit::{Incident, Scenario};

// Of your bot's library: the program calls `settings().build()`.
fn settings() -> ClientBuilder {
    Client::builder()
        .fallback(Fallback::canned("We are very busy. A colleague will write to you today."))
}

#[tokio::test(start_paused = true)]
async fn every_customer_gets_an_answer_on_4_june() {
    let scenario = Scenario::new(Incident::openai_2024_06_04()).rate(6.0).stream(false);
    let harness = scenario.harness();
    let client = settings().build_with(harness.hosts()).expect("the settings are valid");
    let day = scenario.play("my bot", &harness, client).await;
    assert_eq!((day.error, day.late, day.hung), (0, 0, 0));
    assert!(day.attempts_primary_down < day.calls_down / 2, "the provider was spared");
}
