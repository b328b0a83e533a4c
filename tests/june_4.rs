//! A bot on 4 June 2024, as a test in virtual time.

use evenkeel::{Client, Upstream, fallback::Fallback};
use evenkeel_testkit::{Incident, Scenario};

// Your bot's client. The program builds it over reqwest, the test over the transport of the scenario.
fn client(transport: impl Upstream) -> Client {
    let sorry = Fallback::canned("We are very busy. A colleague will write to you today.");
    Client::builder().fallback(sorry).build_with(transport).expect("the settings are valid")
}

#[tokio::test(start_paused = true)]
async fn every_customer_gets_an_answer_on_4_june() {
    let scenario = Scenario::new(Incident::openai_2024_06_04()).rate(6.0).stream(false);
    let harness = scenario.harness();
    let day = scenario.play("my bot", &harness, client(harness.hosts())).await;
    assert_eq!((day.error, day.late, day.hung), (0, 0, 0));
    assert!(day.attempts_primary_down < day.calls_down / 2, "the provider was spared");
}
