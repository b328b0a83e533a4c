//! The main job, in virtual time: two real outages, shortened, with the four clients of the example `outage`. The example checks
//! itself at full length, and for more seeds: `--virtual --check`.

#[path = "../../examples/outage/clients.rs"]
pub(crate) mod clients;

use std::{thread, time::Duration};

use clients::{FALLBACKS, NAMES, Setting};
use evenkeel::Upstream;
use evenkeel_testkit::{
    Incident, Metrics, Scenario,
    incident::TimeCompression,
    scenario::{CallResult, Harness},
};
use tokio::runtime::Builder;

const SEED: u64 = 1;
const MINUTE: Duration = Duration::from_secs(60);

/// The incident in that many minutes, with at least four for each phase.
fn in_minutes(incident: &Incident, minutes: u32) -> Incident {
    incident.time_compress(TimeCompression { total: minutes * MINUTE, min_phase: 4 * MINUTE })
}

/// Plays one client in its own thread, because breakers draw from the thread's random generator.
fn day(client: &'static str, incident: Incident, (seed, rate): (u64, f64)) -> Metrics {
    let played = thread::spawn(move || {
        fastrand::seed(seed);
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(play(
            client,
            &Scenario::new(incident).seed(seed).rate(rate),
            seed,
        ))
    });
    played.join().unwrap()
}

async fn play(name: &str, scenario: &Scenario, seed: u64) -> Metrics {
    let (harness, setting) = (scenario.harness(), Setting { seed, scale: 1.0 });
    let hosts = harness.hosts();
    if name == NAMES[0] {
        return scenario.play(name, &harness, clients::plain(hosts)).await;
    }
    if name == NAMES[1] {
        return scenario.play(name, &harness, clients::retries(hosts, setting)).await;
    }
    let build = if name == NAMES[2] { clients::evenkeel } else { clients::steps };
    let client =
        build(clients::reconnecting(&harness), "http://secondary", setting, |_: &_| ()).unwrap();
    scenario.play(name, &harness, client).await
}

/// `pressure`: the attempts on a primary that is down, as a share of the calls in that time, in percent. The three routes of
/// `steps` at one provider each detect and probe the outage on their own, which weighs more in a shortened incident: 6 to 7 %
/// with four seeds, while at full length both clients keep 5 %.
fn keeps_its_bounds(client: &'static str, incident: Incident, pressure: u64) {
    let metrics = day(client, in_minutes(&incident, 90), (SEED, 60.0));
    assert!(metrics.calls > 5000 && metrics.calls_down > 1500, "{metrics:?}");
    assert_eq!((metrics.error, metrics.late, metrics.hung), (0, 0, 0), "{metrics:?}");
    assert!(metrics.attempts_primary_down * 100 <= metrics.calls_down * pressure, "{metrics:?}");
    assert!(metrics.attempts_primary_down > 0, "it is asked again and again: {metrics:?}");
    let within = |times: &[Option<f64>], most: f64| {
        !times.is_empty() && times.iter().all(|time| time.is_some_and(|time| time <= most))
    };
    assert!(within(&metrics.detect_s, 15.0) && within(&metrics.recover_s, 90.0), "{metrics:?}");
}

#[test]
fn every_customer_of_4_june_has_an_answer_in_time_and_the_primary_is_spared() {
    keeps_its_bounds("evenkeel", Incident::openai_2024_06_04(), 5);
    keeps_its_bounds("steps", Incident::openai_2024_06_04(), 8);
}

#[test]
fn every_customer_of_11_december_has_an_answer_in_time_and_the_primary_is_spared() {
    keeps_its_bounds("evenkeel", Incident::openai_2024_12_11(), 5);
    keeps_its_bounds("steps", Incident::openai_2024_12_11(), 8);
}

#[test]
fn a_tool_that_is_gone_costs_the_tool_and_not_the_model() {
    let played = |client| day(client, Incident::tool_gone(), (SEED, 60.0));
    let [plain, _, evenkeel, steps] = NAMES.map(played);
    let tools = steps.tools.unwrap();
    assert!(tools.calls > 1000, "{tools:?}");
    assert!(tools.primary_without * 100 >= tools.calls * 99, "{steps:?}");
    assert!(steps.primary * 100 >= steps.calls * 99, "{steps:?}");
    assert_eq!((steps.error, steps.late, steps.hung), (0, 0, 0), "{steps:?}");
    assert!(steps.fallbacks[FALLBACKS[1]] >= tools.primary_without, "{steps:?}");
    // A caller that needs the tool has no answer, or the secondary's.
    assert_eq!((plain.tools.unwrap().calls, plain.error), (tools.calls, tools.calls));
    assert_eq!(evenkeel.tools.unwrap().primary_without, 0);
    assert!(evenkeel.error == 0 && evenkeel.secondary >= tools.calls, "{evenkeel:?}");
}

#[test]
fn no_call_brings_a_tool_where_the_incident_is_not_about_tools() {
    let metrics = day("steps", in_minutes(&Incident::openai_2024_12_11(), 20), (SEED, 60.0));
    assert_eq!(metrics.tools, None);
    assert!(metrics.stored > 0 || metrics.secondary > 0, "{metrics:?}");
}

#[test]
fn the_same_seed_gives_the_same_day_to_the_byte() {
    let json = |seed| {
        let incident = in_minutes(&Incident::openai_2024_12_11(), 20);
        let clients = NAMES.map(|name| day(name, incident.clone(), (seed, 60.0)));
        serde_json::to_string(&Scenario::new(incident).seed(seed).report(clients.into())).unwrap()
    };
    let first = json(3);
    assert_eq!(first, json(3));
    assert_ne!(first, json(4));
}

#[test]
fn the_compared_clients_do_what_is_documented() {
    let incident = in_minutes(&Incident::openai_2024_06_04(), 60);
    let played = |name| day(name, incident.clone(), (SEED, 60.0));
    let (plain, retries) = (played(NAMES[0]), played(NAMES[1]));
    assert_eq!(plain.attempts_primary, plain.calls, "it asks once");
    // While the primary is down, three in ten calls meet silence at once; the others are retried twice.
    let pressure = retries.attempts_primary_down as f64 / retries.calls_down as f64;
    assert!((2.0..2.4).contains(&pressure), "{pressure}");
    for metrics in [&plain, &retries] {
        assert!(metrics.error > 0 && metrics.hung > 0, "{metrics:?}");
        assert_eq!(
            metrics.of(CallResult::Secondary) + metrics.of(CallResult::Canned),
            0,
            "{metrics:?}"
        );
    }
    assert!(
        retries.error < plain.error && retries.hung > plain.hung,
        "more patience, more silence"
    );
}

/// Plays evenkeel without a fallback.
fn alone(incident: Incident, seed: u64) -> Metrics {
    alone_over(clients::reconnecting, incident, seed)
}

fn alone_over<U: Upstream>(transport: fn(&Harness) -> U, incident: Incident, seed: u64) -> Metrics {
    let play = async move || {
        let rate = incident.rate().unwrap_or(60.0);
        let scenario = Scenario::new(incident).seed(seed).rate(rate);
        let (harness, setting) = (scenario.harness(), Setting { seed, scale: 1.0 });
        let client = clients::alone(transport(&harness), setting, |_: &_| ()).unwrap();
        scenario.play("alone", &harness, client).await
    };
    let played = thread::spawn(move || {
        fastrand::seed(seed);
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(play())
    });
    played.join().unwrap()
}

#[test]
fn a_node_that_is_replaced_costs_no_call_its_answer_and_moves_none_elsewhere() {
    let incident = in_minutes(&Incident::named("node-replaced").unwrap(), 20);
    let rate = incident.rate().unwrap();
    let played = |client| day(client, incident.clone(), (SEED, rate));
    let [plain, retries, evenkeel, steps] = NAMES.map(played);
    assert!(plain.error >= 30, "five connections and more are dead each time: {plain:?}");
    assert_eq!(plain.attempts_primary, plain.calls - plain.error, "and reach nobody");
    assert!(retries.error < plain.error, "{retries:?}");
    for metrics in [evenkeel, steps, alone(incident.clone(), SEED)] {
        assert_eq!((metrics.primary, metrics.late), (metrics.calls, 0), "{metrics:?}");
        assert_eq!(metrics.attempts_primary, metrics.calls, "each is sent once: {metrics:?}");
    }
    // The metrics without any handling of dead connections.
    let bare = alone_over(Harness::hosts, incident, SEED);
    assert!(bare.primary < bare.calls, "{bare:?}");
}

#[test]
fn a_brownout_costs_no_call_an_answer_that_retries_would_have_had() {
    for name in ["brownout-10", "brownout-20", "brownout-30"] {
        let incident = Incident::named(name).unwrap();
        let played = |client| day(client, incident.clone(), (SEED, 60.0));
        let (retries, evenkeel) = (played(NAMES[1]), played(NAMES[2]));
        let alone = alone(incident.clone(), SEED);
        assert_eq!((evenkeel.error, evenkeel.late, evenkeel.canned), (0, 0, 0), "{name}");
        let answered = |f: &Metrics| (f.calls - f.error - f.hung) as f64 / f.calls as f64;
        let (ours, theirs) = (answered(&alone), answered(&retries));
        assert!(ours >= theirs - 0.01, "{name}: {ours} of {theirs}: {alone:?}");
    }
}
