//! Tests of parsing, validating, compressing and playing incidents.

use std::{collections::BTreeMap, time::Duration};

use super::{Incident, Schedule, TimeCompression};
use crate::reply::{RequestFacts, ScriptStep};

fn minutes(minutes: f64) -> Duration {
    Duration::from_secs_f64(minutes * 60.0)
}

/// A file with these phases and states.
fn file(phases: &str, more: &str) -> String {
    format!(r#"{{"name": "x", "phases_min": {phases}{more}}}"#)
}

const PHASES: &str =
    r#"[{"from": 0, "to": 10, "provider": "healthy"}, {"from": 10, "to": 20, "provider": "down"}]"#;

#[test]
fn the_built_in_outages_have_the_states_of_their_day() {
    let june = Incident::openai_2024_06_04();
    let at = |minute: f64| june.primary_at(minutes(minute)).name().to_owned();
    let told = [0.0, 29.9, 30.0, 50.0, 290.0, 291.0, 480.0, 500.0, 630.0, 648.0, 9999.0].map(at);
    let expected =
        "healthy healthy brownout down down healthy brownout down ramping healthy healthy";
    assert_eq!(told.join(" "), expected);
    assert_eq!(june.secondary_at(minutes(104.9)).name(), "overloaded");
    assert_eq!((june.length(), june.facts().len()), (minutes(708.0), 5));

    let december = Incident::openai_2024_12_11();
    assert!(december.primary_at(minutes(100.0)).is_down());
    assert!(december.secondary_at(minutes(100.0)).is_healthy());
    assert_eq!((december.length(), december.secondary().len()), (minutes(352.0), 1));
}

#[test]
fn a_file_without_states_has_the_built_in_ones() {
    let more = r#", "secondary_phases_min": [{"from": 0, "to": 20, "provider": "overloaded"}]"#;
    let phases = PHASES.replace("\"healthy\"", "\"ramping\"");
    assert!(Incident::parse(&file(&phases, more)).is_ok());
}

#[test]
fn a_state_of_any_name_can_be_described() {
    let more = r#", "states": {"sulking": {"mix": [{"share": 1, "is": "status", "status": 418}]}}"#;
    let incident = Incident::parse(&file(&PHASES.replace("down", "sulking"), more)).unwrap();
    let met = met(incident.primary_schedule(), minutes(15.0), 10);
    assert_eq!(met, BTreeMap::from([("418".to_owned(), 10)]));
}

/// The statuses of a hundred calls with these tools.
fn statuses(incident: &Incident, minute: f64, tools: &[&str]) -> BTreeMap<u16, u32> {
    let mut schedule = incident.primary_schedule();
    let tools: Vec<_> = tools.iter().map(|tool| (*tool).into()).collect();
    let facts = RequestFacts { stream: true, ..RequestFacts::default() };
    let mut met = BTreeMap::new();
    for call in 0..100 {
        let mut steps = schedule.reply(minutes(minute), call, &tools).script(&facts, "p");
        let head = steps.find_map(|step| match step {
            ScriptStep::Head(head) => Some(head.status.as_u16()),
            _ => None,
        });
        *met.entry(head.unwrap_or_default()).or_default() += 1;
    }
    met
}

#[test]
fn an_unavailable_tool_fails_the_attempts_that_have_it_and_no_others() {
    let gone = Incident::tool_gone();
    assert_eq!(gone.tools().into_iter().collect::<Vec<_>>(), ["web_search"]);
    assert_eq!(gone.tools_gone_at(minutes(30.0)).collect::<Vec<_>>(), ["web_search"]);
    assert_eq!(
        gone.tools_gone_at(minutes(5.0)).count() + gone.tools_gone_at(minutes(55.0)).count(),
        0
    );
    let met = |minute, tools: &[&str]| statuses(&gone, minute, tools);
    assert_eq!(met(30.0, &["other", "web_search"]), BTreeMap::from([(500, 100)]));
    assert_eq!(met(30.0, &["other"]), BTreeMap::from([(200, 100)]));
    assert_eq!(met(30.0, &[]), BTreeMap::from([(200, 100)]));
    assert_eq!(met(5.0, &["web_search"]), BTreeMap::from([(200, 100)]));
    assert!(Incident::openai_2024_06_04().tools().is_empty());
}

#[test]
fn a_share_of_a_tool_is_of_the_calls_that_bring_it_and_stands_beside_the_others() {
    let more = r#", "states": {"down": {"mix": [
        {"share": 0.5, "is": "status", "status": 500, "tool": "a"},
        {"share": 0.5, "is": "status", "status": 503}]}}"#;
    let incident = Incident::parse(&file(PHASES, more)).unwrap();
    let with = statuses(&incident, 15.0, &["a"]);
    assert!(with.len() == 2 && with[&500] > 25 && with[&503] > 25, "{with:?}");
    let without = statuses(&incident, 15.0, &["b"]);
    assert!(without.len() == 2 && without[&200] > 25 && without[&503] > 25, "{without:?}");
}

#[test]
fn a_node_is_replaced_at_the_start_of_a_phase_whose_state_resets_idle_connections() {
    let day = Incident::named("node-replaced").unwrap();
    let node = |minute: f64| day.primary_schedule().node(minutes(minute));
    let nodes = [0.0, 9.99, 10.0, 14.9, 15.0, 35.0, 45.0, 99.0].map(node);
    assert_eq!(nodes, [0, 0, 1, 1, 2, 6, 6, 6]);
    assert_eq!(day.primary_schedule().scale(0.1).node(minutes(1.5)), 2);
    assert_eq!(day.secondary_schedule().node(minutes(45.0)), 0);
    assert_eq!(
        met(day.primary_schedule(), minutes(12.0), 100),
        BTreeMap::from([("200".into(), 100)])
    );
    let wrong = Incident::parse(&file(PHASES, r#", "states": {"down": {"kept": "lost"}}"#));
    assert!(wrong.unwrap_err().to_string().contains("unknown variant `lost`"));
}

#[test]
fn every_built_in_incident_has_its_name() {
    for name in Incident::BUILT_IN {
        assert!(Incident::named(name).is_some(), "{name}");
    }
    assert_eq!(Incident::named("tool-gone"), Some(Incident::tool_gone()));
    assert_eq!(Incident::named("tool_gone"), None);
}

#[test]
fn an_error_names_the_field_its_value_and_what_is_allowed() {
    let phases = |phases: &str| file(phases, "");
    let part = |part: &str| {
        let more = format!(r#", "states": {{"down": {{"mix": [{part}]}}}}"#);
        file(PHASES, &more)
    };
    let state = |state: &str| file(PHASES, &format!(r#", "states": {{"down": {state}}}"#));
    let cases = [
        (phases("[]"), "phases_min is \"[]\"; allowed is at least one phase"),
        (
            phases(r#"[{"from": 5, "to": 10, "provider": "down"}]"#),
            "phases_min[0].from is 5.0; allowed is 0, the start",
        ),
        (
            PHASES_GAP.into(),
            "phases_min[1].from is 11.0; allowed is 10, where the phase before it ends",
        ),
        (
            PHASES_GAP.replace("11", "9"),
            "phases_min[1].from is 9.0; allowed is 10, where the phase before it ends",
        ),
        (
            phases(r#"[{"from": 0, "to": 0, "provider": "down"}]"#),
            "phases_min[0].to is 0.0; allowed is above 0 (its from) and at most 525600",
        ),
        (
            phases(r#"[{"from": 0, "to": -3, "provider": "down"}]"#),
            "phases_min[0].to is -3.0; allowed is above 0 (its from) and at most 525600",
        ),
        (
            phases(r#"[{"from": 0, "to": 1e300, "provider": "down"}]"#),
            "phases_min[0].to is 1e300; allowed is above 0 (its from) and at most 525600",
        ),
        (
            phases(r#"[{"from": 0, "to": 1, "provider": "gone"}]"#),
            "phases_min[0].provider is \"gone\"; allowed is one of brownout, down, healthy, overloaded, ramping, or a name that states has",
        ),
        (
            file(
                PHASES,
                r#", "secondary_phases_min": [{"from": 0, "to": 19, "provider": "healthy"}]"#,
            ),
            "secondary_phases_min[0].to is 19.0; allowed is 20, where phases_min ends",
        ),
        (
            file(PHASES, r#", "secondary_phases_min": []"#),
            "secondary_phases_min is \"[]\"; allowed is at least one phase",
        ),
        (
            part(r#"{"share": 0.6, "is": "silence"}, {"share": 0.5, "is": "reset"}"#),
            "states.down.mix is 1.1; allowed is shares that make at most 1",
        ),
        (
            part(r#"{"share": -0.5, "is": "silence"}"#),
            "states.down.mix[0].share is -0.5; allowed is above 0 and at most 1",
        ),
        (
            part(r#"{"share": 1, "is": "status"}"#),
            "states.down.mix[0].status is \"missing\"; allowed is a value",
        ),
        (
            part(r#"{"share": 1, "is": "status", "status": 99}"#),
            "states.down.mix[0].status is 99; allowed is 200 to 999",
        ),
        (
            part(r#"{"share": 1, "is": "silence", "after_words": 3}"#),
            "states.down.mix[0].after_words is \"given\"; allowed is nothing where is says Silence",
        ),
        (
            part(r#"{"share": 1, "is": "cut", "after_words": [5, 70]}"#),
            "states.down.mix[0].after_words is 70.0; allowed is 0 to 60",
        ),
        (
            part(r#"{"share": 1, "is": "slow", "first_content_s": [9, 3]}"#),
            "states.down.mix[0].first_content_s is [9.0, 3.0]; allowed is a pair whose first is not above its second",
        ),
        (
            part(r#"{"share": 1, "is": "reset", "after_s": -1}"#),
            "states.down.mix[0].after_s is -1.0; allowed is 0 to 3600",
        ),
        (
            part(r#"{"share": 1, "is": "silence", "tool": ""}"#),
            "states.down.mix[0].tool is \"\"; allowed is a name of 1 to 64 bytes",
        ),
        (
            part(r#"{"share": 1, "is": "refused", "tool": "web_search"}"#),
            "states.down.mix[0].tool is \"given\"; allowed is nothing where is says Refused",
        ),
        (
            state(r#"{"over": [{"share": 1, "is": "reset", "tool": "web_search"}]}"#),
            "states.down.over[0].tool is \"given\"; allowed is nothing above a capacity, which is for all attempts",
        ),
        (state(r#"{"capacity": -1}"#), "states.down.capacity is -1.0; allowed is 0 to 1000000"),
        (
            state(r#"{"over": [{"share": 0.5, "is": "reset"}]}"#),
            "states.down.over is 0.5; allowed is shares that make 1",
        ),
        (
            state(r#"{"over": [{"share": 1, "is": "refused"}]}"#),
            "states.down.over[0].is is \"refused\"; allowed is anything but refused above a capacity",
        ),
        (
            state(r#"{"answer": {"rest_s": [3, 1]}}"#),
            "states.down.answer.rest_s is [3.0, 1.0]; allowed is a pair whose first is not above its second",
        ),
    ];
    for (json, expected) in cases {
        assert_eq!(Incident::parse(&json).unwrap_err().to_string(), expected, "{json}");
    }
}

const PHASES_GAP: &str = r#"{"name": "x", "phases_min": [
    {"from": 0, "to": 10, "provider": "healthy"}, {"from": 11, "to": 20, "provider": "down"}]}"#;

#[test]
fn an_error_of_malformed_json_names_the_line() {
    let cases = [
        ("{\n\"name\": \"x\",\n\"phase_min\": []}", 3, "unknown field `phase_min`"),
        ("{\n\"name\": \"x\"}", 2, "missing field `phases_min`"),
        ("{\n\"name\": \"x\",\n", 3, "EOF"),
        ("", 1, "EOF"),
        ("[]", 1, "invalid"),
        (
            "{\"name\": \"x\",\n\"phases_min\": [{\"from\": \"0\"}]}",
            2,
            "invalid type: string \"0\", expected f64",
        ),
        (
            "{\"name\": \"x\", \"phases_min\": [],\n\"states\": {\"down\": {\"capacity\": \"full\"}}}",
            2,
            "expected a number or a pair of numbers",
        ),
        (
            "{\"name\": \"x\", \"phases_min\": [],\n\"states\": {\"down\": {\"mix\": [{\"share\": 1, \"is\": \"reset\", \"tool\": 1}]}}}",
            2,
            "invalid type: integer `1`, expected a string",
        ),
        (
            "{\"name\": \"x\", \"phases_min\": [],\n\"states\": {\"down\": {\"capacity\": [1,2,3]}}}",
            2,
            "expected a number or a pair of numbers",
        ),
        (
            "{\"name\": \"x\", \"phases_min\": [],\n\"states\": {\"down\": {\"mix\": [{\"share\": 1, \"is\": \"angry\"}]}}}",
            2,
            "unknown variant `angry`, expected one of `status`, `slow`",
        ),
    ];
    for (json, line, expected) in cases {
        let error = Incident::parse(json).unwrap_err();
        assert_eq!(error.line(), Some(line), "{json}: {error}");
        assert!(error.to_string().contains(expected), "{json}: {error}");
    }
}

#[test]
fn a_file_is_named_in_what_is_wrong_with_it() {
    let error = Incident::read("/nowhere/x.json").unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/x.json: "), "{error}");
    assert_eq!((error.line(), error.field()), (None, None));

    let path = std::env::temp_dir().join(format!("evenkeel-{}.json", std::process::id()));
    std::fs::write(&path, PHASES_GAP).unwrap();
    let error = Incident::read(&path).unwrap_err();
    assert_eq!(error.field(), Some("phases_min[1].from"));
    assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
    std::fs::write(&path, vec![b' '; Incident::MAX_BYTES + 1]).unwrap();
    let error = Incident::read(&path).unwrap_err();
    assert!(error.to_string().ends_with("at most 1048576 bytes"), "{error}");
    std::fs::write(&path, file(PHASES, "")).unwrap();
    assert_eq!(Incident::read(&path).unwrap().name(), "x");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_compressed_incident_keeps_every_phase_visible_and_in_order() {
    let june = Incident::openai_2024_06_04();
    let (total, floor) = (Duration::from_secs(40), Duration::from_secs(3));
    let short = june.time_compress(TimeCompression { total, min_phase: floor });
    assert_eq!((short.length(), short.secondary().last().unwrap().to), (total, total));
    for (short, long) in [(short.primary(), june.primary()), (short.secondary(), june.secondary())]
    {
        assert_eq!(short.len(), long.len());
        for (short, long) in short.iter().zip(long) {
            assert_eq!(short.state, long.state);
            assert!(short.length() >= floor, "{short:?}");
        }
        assert!(short.windows(2).all(|pair| pair[0].to == pair[1].from));
    }
    let overload = &short.secondary()[1];
    let down = &short.primary()[2];
    assert!(down.from < overload.from && overload.to < down.to, "still within the outage");
    assert!(down.length() > short.primary()[1].length(), "longer phases stay longer");
}

#[test]
fn an_incident_compressed_below_its_minimum_shares_the_time_evenly() {
    let short = Incident::openai_2024_12_11().time_compress(TimeCompression {
        total: Duration::from_secs(5),
        min_phase: Duration::from_secs(60),
    });
    assert_eq!(short.length(), Duration::from_secs(5));
    for phase in short.primary() {
        assert_eq!(phase.length(), Duration::from_secs(1));
    }
}

/// The endings of a number of calls at one time, counted.
fn met(mut schedule: Schedule, at: Duration, calls: u64) -> BTreeMap<String, u64> {
    let facts = RequestFacts { stream: true, ..RequestFacts::default() };
    let mut met = BTreeMap::new();
    for call in 0..calls {
        let steps: Vec<_> = schedule.reply(at, call, &[]).script(&facts, "p").collect();
        let head = steps.iter().find_map(|step| match step {
            ScriptStep::Head(head) => Some(head.status),
            _ => None,
        });
        let word = match (head, steps.last()) {
            (Some(status), Some(ScriptStep::End)) => status.as_str().to_owned(),
            (_, last) => format!("{last:?}"),
        };
        *met.entry(word).or_default() += 1;
    }
    met
}

/// Asserts that a share of a thousand is within four standard deviations.
fn about(met: &BTreeMap<String, u64>, word: &str, share: f64) {
    let sigma = (1000.0 * share * (1.0 - share)).sqrt();
    let count = met.get(word).copied().unwrap_or(0) as f64;
    assert!((count - 1000.0 * share).abs() <= 4.0 * sigma, "{word}: {met:?}");
}

#[test]
fn each_state_has_the_mix_of_its_file() {
    let june = Incident::openai_2024_06_04();
    let at = |minute: f64| met(june.primary_schedule().seed(7), minutes(minute), 1000);
    assert_eq!(at(10.0), BTreeMap::from([("200".to_owned(), 1000)]));

    let down = at(100.0);
    assert_eq!(down.len(), 3, "{down:?}");
    about(&down, "502", 0.4);
    about(&down, "500", 0.3);
    about(&down, "Some(Hang)", 0.3);

    let brownout = at(40.0);
    assert_eq!(brownout.len(), 3, "{brownout:?}");
    about(&brownout, "503", 0.25);
    about(&brownout, "Some(Cut)", 0.15);
}

#[test]
fn in_december_half_of_the_time_nobody_listens() {
    let schedule = Incident::openai_2024_12_11().primary_schedule().seed(3);
    let spells = (0..1000).map(|n| minutes(60.0) + Duration::from_secs(2 * n + 1));
    let (refusing, open): (Vec<_>, Vec<_>) = spells.partition(|at| schedule.is_refusing(*at));
    assert!((437..563).contains(&refusing.len()), "{}", refusing.len());
    assert_eq!(met(schedule.clone(), refusing[0], 9), BTreeMap::from([("Some(Refuse)".into(), 9)]));
    let open = met(schedule.clone(), open[0], 1000);
    about(&open, "503", 0.5);
    about(&open, "Some(Hang)", 0.5);
    assert!(!schedule.is_refusing(minutes(10.0)), "nobody is refused while all is well");
}

#[test]
fn a_listener_knows_when_to_look_again() {
    let schedule = Incident::openai_2024_12_11().primary_schedule().scale(0.1);
    let look = |seconds: f64| schedule.next_change(Duration::from_secs_f64(seconds));
    let moment = Duration::from_millis(1);
    assert_eq!(look(0.0), Some(Duration::from_secs(180) + moment), "the end of the phase");
    assert_eq!(look(300.1), Some(Duration::from_secs_f64(300.2) + moment), "the end of a spell");
    assert_eq!(look(352.0 * 6.0), None, "nothing changes after the end");
}

#[test]
fn a_ramp_serves_more_and_more() {
    let december = Incident::openai_2024_12_11();
    let mut schedule = december.primary_schedule().rate(60.0);
    let facts = RequestFacts { stream: true, ..RequestFacts::default() };
    let mut served = |from: f64| {
        let mut well = |second: u64| {
            let at = minutes(from) + Duration::from_secs(second);
            let mut steps = schedule.reply(at, second, &[]).script(&facts, "p");
            steps.any(|step| matches!(step, ScriptStep::Head(head) if head.status == 200))
        };
        (0..600).filter(|second| well(*second)).count()
    };
    let (early, middle, late) = (served(171.0), served(225.0), served(281.0));
    assert!(early < 60 && (250..350).contains(&middle) && late > 540, "{early} {middle} {late}");
    assert_eq!(served(300.0), 600);
}

#[test]
fn an_overloaded_secondary_serves_half_of_what_is_offered() {
    let june = Incident::openai_2024_06_04();
    let mut schedule = june.secondary_schedule().rate(60.0).scale(0.1);
    let facts = RequestFacts { stream: true, ..RequestFacts::default() };
    let mut met = BTreeMap::<u16, u32>::new();
    for second in 0..600 {
        // A tenth of a real second is a second of the incident.
        let at = (minutes(70.0) + Duration::from_secs(second)) / 10;
        let steps: Vec<_> = schedule.reply(at, second, &[]).script(&facts, "p").collect();
        let head = steps.iter().find_map(|step| match step {
            ScriptStep::Head(head) => Some(head),
            _ => None,
        });
        *met.entry(head.unwrap().status.as_u16()).or_default() += 1;
    }
    assert!((298..=302).contains(&met[&200]), "{met:?}");
    assert!(met[&429] > 110 && met[&529] > 110 && met.len() == 3, "{met:?}");
}

#[test]
fn the_same_seed_draws_the_same_and_another_draws_others() {
    let june = Incident::openai_2024_06_04();
    let drawn = |seed: u64| {
        let mut schedule = june.primary_schedule().seed(seed);
        (0..50).map(|call| schedule.reply(minutes(40.0), call, &[])).collect::<Vec<_>>()
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}

#[test]
fn latencies_are_scaled() {
    let june = Incident::openai_2024_06_04();
    let all = |scale: f64| -> Duration {
        let reply = june.primary_schedule().scale(scale).reply(Duration::ZERO, 1, &[]);
        let steps = reply.script(&RequestFacts { stream: true, ..RequestFacts::default() }, "p");
        let wait = |step| match step {
            ScriptStep::Wait(wait) => Some(wait),
            _ => None,
        };
        steps.filter_map(wait).sum()
    };
    let (long, short) = (all(1.0), all(0.1));
    assert!(
        long > Duration::from_secs(1)
            && long.div_f64(10.0).abs_diff(short) < Duration::from_micros(1)
    );
}

#[test]
fn a_file_has_a_rate_and_bounds_for_each_client() {
    let more = r#", "rate": 2, "bounds": {"evenkeel": {"detect_s": 5, "canned": 0}}"#;
    let incident = Incident::parse(&file(PHASES, more)).unwrap();
    assert_eq!(incident.rate(), Some(2.0));
    let bounds = incident.bounds("evenkeel");
    assert_eq!((bounds.detect_s, bounds.canned, bounds.error), (Some(5.0), Some(0.0), None));
    let others = incident.bounds("steps");
    assert_eq!((others.detect_s, others.error, others.canned), (Some(15.0), Some(0.0), None));
    let wrong = [
        (r#", "rate": 0"#, "rate is 0.0; allowed is 0.001 to 1000000"),
        (r#", "bounds": {"x": {"error": 2}}"#, "bounds.x.error is 2.0; allowed is 0 to 1"),
        (
            r#", "bounds": {"x": {"detect_s": -1}}"#,
            "bounds.x.detect_s is -1.0; allowed is 0 to 86400",
        ),
    ];
    for (more, line) in wrong {
        assert_eq!(Incident::parse(&file(PHASES, more)).unwrap_err().to_string(), line);
    }
    let unknown = Incident::parse(&file(PHASES, r#", "bounds": {"x": {"errors": 0}}"#));
    assert!(unknown.unwrap_err().to_string().contains("unknown field `errors`"));
}

#[test]
fn a_brownout_fails_the_share_in_its_name_and_no_more() {
    for (name, share) in [("brownout-10", 0.1), ("brownout-20", 0.2), ("brownout-30", 0.3)] {
        let incident = Incident::named(name).unwrap();
        let at = |minute| met(incident.primary_schedule().seed(7), minutes(minute), 1000);
        let partial = at(25.0);
        assert_eq!(partial.len(), 2, "{name}: {partial:?}");
        about(&partial, "503", share);
        let well = BTreeMap::from([("200".to_owned(), 1000)]);
        assert_eq!((at(5.0), at(45.0)), (well.clone(), well), "{name}");
    }
}
