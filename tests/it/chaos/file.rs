//! The table `[chaos]` of a configuration.

use evenkeel::config::Config;

use super::*;

fn settings(toml: &str) -> Result<evenkeel::config::Settings, String> {
    let value: serde_json::Value = toml::from_str(toml).unwrap();
    let config = Config::from_value(value).map_err(|error| error.to_string())?;
    config.settings(|_| None).map_err(|error| error.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_client_of_a_file_injects_once_its_switch_is_turned() {
    let text = "[chaos]\nseed = 7\nfor_at_most = 60\n[[chaos.rule]]\nfault = \"page\"\ntarget = \"primary\"\nshare = 0.5\n";
    let primary = Provider::new("primary");
    let client = over(settings(text).unwrap().builder().profile(without_retries()), [&primary]);
    call(&client, chat(false)).await.unwrap().is_whole();
    let switch = client.chaos().unwrap().clone();
    assert!(!switch.is_on());
    switch.on();
    assert_eq!(switch.ends_in(), Some(secs(60)));
    for _ in 0..50 {
        let _ = call(&client, chat(false)).await;
    }
    assert!((10..40).contains(&switch.injected()), "{}", switch.injected());
    assert!(settings(text).unwrap().without_chaos().chaos().is_none());
}

#[test]
fn the_rules_of_a_file_are_those_that_code_would_make() {
    let text = r#"
        [[chaos.rule]]
        fault = "silence"
        target = "openai"
        model = "gpt-*"
        operation = "embeddings"
        share = 0.25
        after = "1min"
        for = "10min"
        at_most = 3
        events = 9
        lasts = "2s"
        [[chaos.rule]]
        fault = "drip"
        bytes = 7
        every = "20ms"
        [[chaos.rule]]
        fault = "comments"
        count = 2
    "#;
    let switch = ChaosSwitch::new();
    let silence = ChaosRule::new(Fault::Silence { events: 9, lasts: secs(2) })
        .target("openai")
        .model("gpt-*")
        .operation(evenkeel::dialect::Operation::Embeddings)
        .share(0.25)
        .after(secs(60))
        .lasts(secs(600))
        .at_most(3);
    let policy = ChaosPolicy::new(&switch)
        .rule(silence)
        .rule(ChaosRule::new(Fault::Drip { bytes: 7, every: ms(20) }))
        .rule(ChaosRule::new(Fault::Comments { every: ms(500), count: 2 }));
    let read = settings(text).unwrap();
    assert_eq!(format!("{:?}", read.chaos().unwrap()), format!("{policy:?}"));
}

#[test]
fn a_wrong_table_is_refused_with_the_path_of_its_key() {
    for (rule, error) in [
        (
            "fault = \"reset\"\nshare = 2",
            "chaos.rule[0].share is 2.0; allowed is a number from 0 to 1",
        ),
        (
            "fault = \"reset\"\nstatus = 500",
            "chaos.rule[0].status is no setting of reset; allowed is it for a fault that has it",
        ),
        (
            "fault = \"cut\"\nlasts = 3",
            "chaos.rule[0].lasts is no setting of cut; allowed is it for a fault that has it",
        ),
        ("fault = \"status\"\nstatus = 302", "chaos.rule[0].status is 302; allowed is 400 to 599"),
        ("fault = \"reset\"\nfor = 0", "chaos.rule[0].for is 0ns; allowed is longer than zero"),
    ] {
        assert_eq!(settings(&format!("[[chaos.rule]]\n{rule}")).unwrap_err(), error);
    }
    let unknown = settings("[[chaos.rule]]\nfault = \"restet\"").unwrap_err();
    assert!(
        unknown.starts_with("chaos.rule[0].fault is \"restet\"; allowed is one of refused, reset,"),
        "{unknown}"
    );
    let long = settings("[chaos]\nfor_at_most = \"2d\"").unwrap_err();
    assert!(long.starts_with("chaos.for_at_most is"), "{long}");
}
