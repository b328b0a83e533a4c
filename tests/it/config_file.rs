//! A configuration from a file: what it sets, what is refused, and how an error names the place.

use evenkeel::{
    ConfigError,
    config::{Config, FallbackKind, ProfileName, Settings},
};
use evenkeel_testkit::Provider;
use proptest::prelude::*;
use serde_json::{Value, json};

const EXAMPLE: &str = include_str!("../../src/config/example.toml");

fn env(name: &str) -> Option<String> {
    name.starts_with("MISTRAL").then(|| format!("key of {name}")).or_else(|| match name {
        "OPENAI_API_KEY" => Some(" k \n".to_owned()),
        "BLANK" => Some(" ".to_owned()),
        "ODD" => Some("a\nb".to_owned()),
        _ => None,
    })
}

fn read(toml: &str) -> Result<Config, ConfigError> {
    Config::from_value(toml::from_str(toml).expect("it is TOML"))
}

fn settings(toml: &str) -> Result<Settings, ConfigError> {
    read(toml)?.settings(env)
}

/// The error of reading, or of building.
fn refused(toml: &str) -> String {
    let error = settings(toml).expect_err(toml).to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(!error.contains("sk-"), "a key is shown: {error}");
    error
}

#[test]
fn every_key_of_the_example_is_read_and_the_client_is_built() {
    let config = read(EXAMPLE).unwrap();
    let settings = config.settings(env).unwrap();
    assert_eq!(settings.first.as_ref().map(|first| &*first.name), Some("openai"));
    let names: Vec<_> = settings.fallbacks.iter().map(|it| (&*it.name, it.kind)).collect();
    let kinds = [FallbackKind::Target, FallbackKind::Stored, FallbackKind::Canned];
    assert_eq!(names, ["mistral", "stored", "sorry"].into_iter().zip(kinds).collect::<Vec<_>>());
    assert_eq!(settings.fallbacks[0].targets.len(), 2);
    config.builder(env).unwrap().build_with(Provider::new("openai")).unwrap();
    // Each value has arrived: without it the settings are others.
    let tree: Value = toml::from_str(EXAMPLE).unwrap();
    let whole = format!("{settings:?}");
    for key in ["limits", "retry", "breaker", "traffic", "buffer", "cache"] {
        for (name, _) in tree[key].as_object().unwrap() {
            let mut changed = tree.clone();
            let table = changed[key].as_object_mut().unwrap();
            match other(name, &table[name]) {
                Some(value) => table.insert(name.clone(), value),
                None => continue,
            };
            let other = Config::from_value(changed).unwrap().settings(env);
            let other = other.unwrap_or_else(|error| panic!("{key}.{name}: {error}"));
            assert_ne!(format!("{other:?}"), whole, "{key}.{name} is read and not used");
        }
    }
}

/// Another value for a key; `None` if it is not of a simple kind.
fn other(name: &str, value: &Value) -> Option<Value> {
    Some(match (name, value) {
        ("deadline", _) => json!("31s"),
        ("first_event", _) => json!("9s"),
        ("max_backoff" | "stream_total" | "probe_timeout", _) => json!("21min"),
        ("slow_ratio", _) => json!(0.9),
        ("min_events_per_minute", _) => json!(3),
        ("deadline_header", _) => json!("x-other"),
        (_, Value::Bool(on)) => json!(!on),
        (_, Value::String(_)) => json!("900ms"),
        (_, Value::Number(number)) if number.is_f64() => json!(number.as_f64()? * 1.01),
        (_, Value::Number(number)) => json!(number.as_u64()? + 1),
        _ => return None,
    })
}

#[test]
fn the_same_configuration_in_another_format_gives_the_same_settings() {
    let config = read(EXAMPLE).unwrap();
    let json = serde_json::to_string(&config).unwrap();
    let other: Config = serde_json::from_str(&json).unwrap();
    assert_eq!(other, config);
    let text = |config: &Config| {
        let text = format!("{:?}", config.settings(env).unwrap());
        assert!(text.contains("mistral-team-a"), "{text}");
        text
    };
    assert_eq!(text(&other), text(&config));
    let direct: Config = toml::from_str(EXAMPLE).unwrap();
    assert_eq!(direct, config);
}

#[test]
fn an_unknown_key_is_refused_at_each_level_with_the_nearest_name() {
    let target =
        "[[target]]\nname = \"a\"\nmodel = \"m\"\n[[target]]\nname = \"b\"\nmodel = \"m\"\n";
    for (toml, path, near) in [
        ("profil = \"pipeline\"", "profil", "profile"),
        ("[limit]\n", "limit", "limits"),
        ("[limits]\ndeadlin = 1", "limits.deadlin", "deadline"),
        ("[limits]\nfirst-event = 1", "limits.first-event", "first_event"),
        ("[retry]\nbackoff_max = \"1s\"\nbas = \"1s\"", "retry.bas", "base"),
        ("[breaker]\nwindows = \"1s\"", "breaker.windows", "window"),
        (
            "[breaker.slow_after]\nfirst_evnt = \"1s\"",
            "breaker.slow_after.first_evnt",
            "first_event",
        ),
        ("[traffic]\nrequest = 1", "traffic.request", "requests"),
        ("[traffic.adaptive]\ninital = 1", "traffic.adaptive.inital", "initial"),
        ("[[traffic.model]]\nname = \"m\"\ntoken = 1", "traffic.model[0].token", "tokens"),
        ("[cache]\ncoalece = true", "cache.coalece", "coalesce"),
        ("[identity]\npayers = []", "identity.payers", "payer"),
        ("[buffer]\ncolect = 1", "buffer.colect", "collect"),
        ("[[outcome]]\nis = \"declined\"\nstate = 418", "outcome[0].state", "status"),
        ("[[stored]]\nname = \"s\"\naeg = 1", "stored[0].aeg", "age"),
        ("[[canned]]\nname = \"s\"\ntxt = \"t\"", "canned[0].txt", "text"),
        (&format!("{target}modle = \"x\""), "target[1].modle", "model"),
        (&format!("{target}key_evn = \"X\""), "target[1].key_evn", "key_env"),
        (
            &format!("{target}[target.balance]\nhalflife = 1"),
            "target[1].balance.halflife",
            "half_life",
        ),
    ] {
        let error = refused(toml);
        // TOML keeps no order of keys: another unknown one may be named first.
        if path == "retry.bas" {
            assert!(error.starts_with("retry.ba"), "{error}");
            continue;
        }
        assert_eq!(error, format!("{path} is an unknown field; did you mean `{near}`?"), "{toml}");
    }
    let error = refused("[limits]\nwait = 1");
    assert!(
        error.starts_with("limits.wait is an unknown field; allowed is one of deadline, "),
        "{error}"
    );
}

#[test]
fn a_wrong_value_is_refused_with_its_place_and_what_is_right() {
    let target = |keys: &str| format!("[[target]]\nname = \"a\"\nmodel = \"m\"\n{keys}");
    let cases = [
        ("profile = \"p\"".to_owned(), "profile is \"p\"; allowed is interactive or pipeline"),
        ("profile = 1".into(), "profile is a number; allowed is a text"),
        ("listen = \"x\"".into(), "listen is \"x\"; allowed is an address"),
        ("upstream = \"http://a/v1\"".into(), "upstream has a path; allowed is an origin"),
        ("upstream = \"http://u:sk-1@a\"".into(), "upstream has a user; allowed"),
        (
            "wait_for_recovery = \"sk-1\"".into(),
            "wait_for_recovery is a text; allowed is true or false",
        ),
        ("commit = \"now\"".into(), "commit is \"now\"; allowed is first-content or complete"),
        ("target = 1".into(), "target is a number; allowed is a list"),
        ("limits = [1]".into(), "limits is a list; allowed is a table"),
        (
            "[limits]\ndeadline = \"30\"".into(),
            "limits.deadline is \"30\" without a unit; allowed is a duration with its unit, such as \"30s\"",
        ),
        ("[limits]\ndeadline = \"sk-1\"".into(), "limits.deadline is no duration; allowed"),
        (
            "[limits]\ndeadline = true".into(),
            "limits.deadline is true or false; allowed is a duration with its unit, such as \"30s\"",
        ),
        ("[limits]\ndeadline = -1".into(), "limits.deadline is -1; allowed is a duration"),
        ("[limits]\ndeadline = 0".into(), "limits.deadline is 0ns; allowed is longer than zero"),
        ("[limits]\nidle = \"0s\"".into(), "limits.idle is 0ns; allowed is more than 0"),
        (
            "[limits]\ndeadline = \"5s\"\nattempt = \"9s\"".into(),
            "limits.attempt is 9s; allowed is at most the deadline",
        ),
        (
            "[limits]\ndeadline = \"5s\"\nconnect = \"9s\"".into(),
            "limits.connect is 9s; allowed is at most the deadline",
        ),
        (
            "[limits]\nretries = 101".into(),
            "limits.retries is 101; allowed is a whole number from 0 to 100",
        ),
        (
            "[limits]\nretries = -1".into(),
            "limits.retries is -1; allowed is a whole number from 0 to 100",
        ),
        ("[limits]\nretries = 1.5".into(), "limits.retries is a number; allowed is a whole number"),
        ("[limits]\nbody = 0".into(), "limits.body is 0; allowed is a whole number from 1 to"),
        (
            "[limits]\ndeadline_header = \"a b\"".into(),
            "limits.deadline_header is no name of a header",
        ),
        ("[retry]\nfactor = 0.5".into(), "retry.factor is 0.5; allowed is 1 to 100"),
        ("[retry]\nbase = \"5s\"\nmax_backoff = \"1s\"".into(), "retry.base is 5s; allowed"),
        ("[breaker]\nfailure_ratio = 2".into(), "breaker.failure_ratio is 2.0; allowed is above 0"),
        (
            "[breaker]\nfailure_ratio = \"sk-1\"".into(),
            "breaker.failure_ratio is a text; allowed is a number",
        ),
        (
            "[breaker]\nopen_backoff = [\"5s\"]".into(),
            "breaker.open_backoff is of another length; allowed is a list of two",
        ),
        (
            "[breaker]\nopen_backoff = [\"5s\", \"1s\"]".into(),
            "breaker.open_backoff is 1s; allowed is 5s or more",
        ),
        (
            "[breaker]\nslow_after = { first_event = \"1s\" }".into(),
            "breaker.slow_after.whole_answer is missing",
        ),
        (
            "[breaker]\ninitial_share = 0.0".into(),
            "breaker.initial_share is 0.0; allowed is above 0",
        ),
        (
            "[traffic]\nconcurrency = 0".into(),
            "traffic.concurrency is 0; allowed is a whole number from 1 on",
        ),
        ("[traffic]\nhedge = 2".into(), "traffic.hedge is 2.0; allowed is more than 0"),
        (
            "[traffic]\nhedge_samples = 2".into(),
            "traffic.hedge_samples is set without traffic.hedge",
        ),
        (
            "[traffic]\nadaptive = 1".into(),
            "traffic.adaptive is a number; allowed is true, false or a table",
        ),
        (
            "[traffic]\nadaptive = { tolerance = 20.0 }".into(),
            "traffic.adaptive.tolerance is 20.0; allowed is 1.1 to 10",
        ),
        (
            "[[traffic.model]]\nname = \"m\"\nadaptive = { backoff = 2.0 }".into(),
            "traffic.model[0].adaptive.backoff is 2.0",
        ),
        ("[buffer]\nhold_events = 0".into(), "buffer.hold_events is 0; allowed"),
        (
            "[cache]\nserve_fresh_for = 0".into(),
            "cache.serve_fresh_for is 0ns; allowed is longer than zero",
        ),
        (
            "[identity]\nignore = [\"x-a\"]\npayer = [\"x-a\"]".into(),
            "identity.ignore is \"x-a\"; allowed",
        ),
        ("[identity]\npayer = [\"a b\"]".into(), "identity.payer[0] is no name of a header"),
        ("[[outcome]]\nis = \"declined\"".into(), "outcome[0] has no condition"),
        (
            "[[outcome]]\nis = \"declined\"\nstatus = 200".into(),
            "outcome[0].status is 200; allowed is a status from 300 to 599",
        ),
        (
            "[[outcome]]\nis = \"limit\"\nstatus = 418".into(),
            "outcome[0].is is \"limit\", which is no meaning of an error",
        ),
        (
            "[[outcome]]\nis = \"declined\"\nfinish_reason = \"x\"".into(),
            "outcome[0].is is \"declined\", which is no meaning of a finish reason",
        ),
        ("[[target]]\nmodel = \"m\"".into(), "target[0].name is missing"),
        (
            "[[target]]\nname = \"a\"".into(),
            "target[0] is empty; allowed is at least one of base URL",
        ),
        ("[[target]]\nname = \"a b\"\nmodel = \"m\"".into(), "target[0].name is no name"),
        (target("base_url = \"a\""), "target[0].base_url has no http://"),
        (target("base_url = \"http://u:sk-1@a\""), "target[0].base_url has a user; allowed"),
        (target("base_url = \"http://a?key=sk-1\""), "target[0].base_url has a query; allowed"),
        (target("base_url = \"http://a/v1/chat/completions\""), "target[0].base_url is "),
        (
            target("api_key = \"sk-1\""),
            "target[0].api_key is not read from a file; allowed is key_env",
        ),
        (target("sk-1 = \"x\""), "target[0].… is an unknown field; allowed is one of name"),
        (target("key_env = \"sk-1\""), "target[0].key_env is not shown here"),
        (target("key_env = \"NO_SUCH\""), "target[0].key_env is NO_SUCH, which is not set"),
        (target("key_env = \"BLANK\""), "target[0].key_env is BLANK, which is not set"),
        (target("key_env = \"ODD\""), "target[0].key_env is ODD, whose value cannot be sent"),
        (
            target("dialect = \"openai\""),
            "target[0].dialect is \"openai\"; allowed is one of openai-chat,",
        ),
        (target("on = [\"never\"]"), "target[0].on[0] is \"never\"; allowed is one of too_large,"),
        (target("drop = [\"store\", \"messages\"]"), "target[0].drop[1] is \"messages\"; allowed"),
        (target("rename = { user = \"model\" }"), "target[0].rename.user is"),
        (target("set = { stream = true }"), "target[0].set.stream is"),
        (
            target("max_tokens = 15"),
            "target[0].max_tokens is 15; allowed is a whole number from 16 on",
        ),
        (
            target("tool_notice = \"x\""),
            "target[0].tool_notice is \"set\"; allowed is only together with without_tool",
        ),
        (
            target("reserve = \"30s\""),
            "target[0].reserve is 30s; allowed is less than the deadline",
        ),
        (target("[target.balance]\nhalf_life = 0\n[[target]]\nname = \"b\"\nmodel = \"n\""), ""),
        (target(&target("")), "target[1].name is \"a\", which another has"),
        (
            target("").replace("\"a\"", "\"primary\""),
            "target[0].name is \"primary\", which another has",
        ),
        (target(&target("group = \"g\"").replace("\"a\"", "\"g\"").replace("\"m\"", "\"n\"")), ""),
        (target(&target("group = \"g\"").replace("\"a\"", "\"g\"")), "target[1]"),
        (
            format!("fallbacks = [\"nope\"]\n{}", target("")),
            "fallbacks[0] is \"nope\"; allowed are the names of targets",
        ),
        (
            format!("fallbacks = [\"a\", \"a\"]\n{}", target("")),
            "fallbacks[1] is \"a\" again; allowed is each name once",
        ),
        (
            format!("fallbacks = [\"a\", \"primary\"]\n{}", target("")),
            "fallbacks[1] is \"primary\" below another",
        ),
        (
            "[[canned]]\nname = \"c\"\ntext = \"\"".into(),
            "canned[0].text is blank; allowed is a text",
        ),
        (
            "[[canned]]\nname = \"c\"\ntext = \"t\"\n[[canned]]\nname = \"d\"\ntext = \"t\"".into(),
            "canned[0] is \"c\"; allowed is a canned reply only as the last",
        ),
        ("[[stored]]\nname = \"s\"".into(), "stored[0].age is missing"),
        (
            "[[stored]]\nname = \"s\"\nage = 0".into(),
            "stored[0].age is 0ns; allowed is longer than zero",
        ),
    ];
    for (toml, expected) in cases {
        match expected {
            // Allowed: a balance of one target has no effect, a group may have the name of nothing else.
            "" => assert!(settings(&toml).is_ok(), "{toml}"),
            expected => {
                let error = refused(&toml);
                assert!(error.starts_with(expected), "{toml:?}: {error}");
            }
        }
    }
}

#[test]
fn the_keys_of_a_group_are_set_at_its_first_target_only() {
    let one = "[[target]]\nname = \"a\"\ngroup = \"g\"\nmodel = \"m\"\n";
    let two = one.replace("\"a\"", "\"b\"").replace("\"m\"", "\"n\"");
    let error = refused(&format!("{one}{two}tools = true"));
    assert!(error.starts_with("target[1].tools is a key of the group"), "{error}");
    let error = refused(&format!("{one}{}", two.replace("\"n\"", "\"m\"")));
    assert!(error.starts_with("target[1] ") && error.ends_with(" than target[0]"), "{error}");
    assert_eq!(settings(&format!("{one}vision = false\n{two}")).unwrap().first.unwrap().name, "g");
}

#[test]
fn a_limit_that_is_set_alone_fits_with_the_others() {
    for profile in ["interactive", "pipeline"] {
        for limit in [
            "[limits]\ndeadline = \"8s\"",
            "[limits]\ndeadline = 0.5",
            "[limits]\ndeadline = \"1h\"",
            "[limits]\nconnect = \"10ms\"",
            "[limits]\nattempt = \"200ms\"",
            "[limits]\nfirst_event = \"30s\"",
            "[limits]\nidle = \"10min\"",
            "[limits]\nstream_total = \"3s\"",
            "[limits]\ncold_start = \"off\"",
            "[limits]\ncold_start = \"5min\"",
            "[limits]\nretries = 0",
            "[retry]\nbase = \"2min\"",
            "[retry]\nmax_backoff = \"10ms\"",
            "[breaker]\nopen_backoff = [\"2min\", \"3min\"]",
            "[breaker]\nramp = 0",
            "[traffic]\nadaptive = true\nconcurrency = 2",
        ] {
            let toml = format!("profile = \"{profile}\"\n{limit}\n");
            let builder = read(&toml).unwrap().builder(env);
            let built = builder.and_then(|builder| builder.build_with(Provider::new("a")));
            assert!(built.is_ok(), "{toml}: {:?}", built.err());
        }
    }
}

#[test]
fn a_call_goes_first_where_the_configuration_says() {
    let target =
        "[[target]]\nname = \"a\"\nmodel = \"m\"\n[[canned]]\nname = \"c\"\ntext = \"t\"\n";
    for (toml, first) in [
        (target.to_owned(), Some("a")),
        (format!("upstream = \"http://b\"\n{target}"), None),
        (format!("fallbacks = [\"primary\", \"a\"]\n{target}"), None),
        (format!("fallbacks = [\"a\", \"c\"]\n{target}"), Some("a")),
        (format!("fallbacks = [\"c\"]\n{target}"), None),
        (String::new(), None),
    ] {
        let settings = settings(&toml).unwrap();
        assert_eq!(settings.first.as_ref().map(|first| &*first.name), first, "{toml}");
        let policy = settings.fallback_policy(|it| it.kind != FallbackKind::Canned);
        assert!(policy.build().is_ok());
    }
}

#[test]
fn what_is_set_after_reading_is_written_too() {
    let config = Config::default().profile(ProfileName::Pipeline);
    let config = config.upstream(&"http://a:1".parse().unwrap()).unwrap();
    let expected = json!({ "profile": "pipeline", "upstream": "http://a:1/" });
    assert_eq!(serde_json::to_value(&config).unwrap(), expected);
    assert!(Config::default().upstream(&"http://u@a".parse().unwrap()).is_err());
}

#[test]
fn nothing_is_taken_that_a_format_reads_in_two_ways() {
    let json = |text: &str| serde_json::from_str::<Config>(text).unwrap_err().to_string();
    let twice = json(r#"{"limits": {"idle": 1, "idle": 2}}"#);
    assert!(twice.starts_with("a key is there twice"), "{twice}");
    let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    assert!(json(&deep).starts_with("is nested deeper"));
    let date = toml::from_str::<Config>("profile = 2020-01-01").unwrap_err();
    assert!(date.message().contains("a value is a date"), "{date}");
    let list = Config::from_value(json!([])).unwrap_err().to_string();
    assert_eq!(list, "the configuration is a list; allowed is a table");
    // What is commented out in YAML leaves nothing behind.
    let empty = json!({ "limits": null, "profile": null, "target": null });
    assert_eq!(Config::from_value(empty).unwrap(), Config::default());
    let null = json!({ "target": [{ "name": "a", "model": "m", "set": { "stop": null } }] });
    let kept = serde_json::to_value(Config::from_value(null.clone()).unwrap()).unwrap();
    assert_eq!(kept, null);
}

#[test]
fn a_configuration_shows_no_key_and_no_text() {
    let toml = "[[target]]\nname = \"a\"\nkey_env = \"OPENAI_API_KEY\"\nbase_url = \"http://secret-host\"\n[[canned]]\nname = \"c\"\ntext = \"a private text\"\n";
    let config = read(toml).unwrap();
    let shown = format!("{config:?} {:?}", config.settings(|_| Some("sk-1".into())).unwrap());
    for secret in ["sk-1", "private"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn an_error_through_serde_names_the_key_too() {
    let toml = toml::from_str::<Config>("[limits]\ndeadlin = 1\n").unwrap_err();
    let expected = "limits.deadlin is an unknown field; did you mean `deadline`?";
    assert_eq!(toml.message(), expected);
    assert!(toml.to_string().contains(expected) && !toml.to_string().contains("= 1"), "{toml}");
    let json = serde_json::from_str::<Config>(r#"{"limits": {"deadlin": 1}}"#).unwrap_err();
    assert!(json.to_string().starts_with(expected), "{json}");
}

#[test]
fn a_key_with_a_line_break_in_it_makes_no_second_line() {
    let change = json!({ "a\nb": 1 });
    let odd = json!({ "target": [{ "name": "a", "model": "m", "rename": change.clone() }] });
    let error = Config::from_value(odd).unwrap_err().to_string();
    assert_eq!(error, "target[0].rename.a b is a number; allowed is a text");
    let error = Config::from_value(change).unwrap_err().to_string();
    assert!(error.lines().count() == 1 && error.contains("is an unknown field"), "{error}");
}

/// A value of any kind, with the names of real keys among those of its tables.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "[ -~]{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["30s", "off", "a", "openai-chat", "http://a", "slow", "KEY"])
            .prop_map(Value::from),
    ];
    let key = prop_oneof![
        prop::sample::select(keys()).prop_map(str::to_owned),
        "[a-z_]{1,8}".prop_map(String::from),
        "[ -~\n]{0,4}".prop_map(String::from),
    ];
    leaf.prop_recursive(4, 48, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..6)
                .prop_map(|table| Value::Object(table.into_iter().collect())),
        ]
    })
}

/// The names of all keys, from the documentation.
fn keys() -> Vec<&'static str> {
    let rows = include_str!("../../src/config/keys.md").lines().skip(2);
    rows.filter_map(|row| row.split('`').nth(1)?.rsplit('.').next()).collect()
}

proptest! {
    #[test]
    fn any_tree_is_read_or_refused_in_one_line_with_its_place(value in any_value()) {
        match Config::from_value(value).and_then(|config| config.settings(env)) {
            Ok(settings) => drop(settings.builder()),
            Err(error) => {
                prop_assert!(!error.field().is_empty());
                prop_assert_eq!(error.to_string().lines().count(), 1, "{}", error);
            }
        }
    }

    #[test]
    fn any_text_as_toml_never_panics(text in "(\\[{1,2}(limits|target|breaker)\\]{1,2}\n)?[a-z_]{1,12} ?= ?[ -~]{0,12}\n") {
        if let Ok(config) = toml::from_str::<Config>(&text) {
            let written = serde_json::to_value(&config).unwrap();
            prop_assert_eq!(Config::from_value(written).unwrap(), config);
        }
    }
}
