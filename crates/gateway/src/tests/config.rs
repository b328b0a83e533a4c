//! The command line and the file: what is allowed, and the errors.

use std::path::Path;

use super::{
    super::{config_file::ConfigFile, options::CommandLine},
    support::{TempConfig, parse, setup},
};

/// The one-line error of an invalid file, without the file's name.
pub(crate) fn refused(toml: &str) -> String {
    let file = TempConfig::new(toml);
    let line = setup(&["--config", file.path()], None).unwrap_err();
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(!line.contains("sk-"), "a key is shown: {line}");
    line.strip_prefix(&format!("{}:", file.path())).unwrap_or_else(|| panic!("{line}")).to_owned()
}

const UP: &str = "upstream = \"http://127.0.0.1:1\"\n";

#[test]
fn the_example_file_is_right_once_its_keys_are_there() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/gateway.toml");
    let line = setup(&["--config", file], None).unwrap_err();
    assert!(line.contains("target[0].key_env: is OPENAI_API_KEY, which is not set"), "{line}");
    // Without https, so that no certificates are needed.
    let text = std::fs::read_to_string(file).unwrap().replace("https://", "http://");
    let plain = TempConfig::new(&text);
    let setup = setup(&["--config", plain.path()], Some("k")).unwrap();
    assert_eq!((setup.listen.port(), setup.gateway.name.as_str()), (8080, "openai"));
    assert_eq!(setup.limits.body, 32 << 20);
    // The defaults that the file documents are the real ones.
    let usual = setup_of_nothing();
    assert_eq!(format!("{:?}", setup.limits), format!("{:?}", usual.limits));
}

#[test]
fn the_example_file_has_every_key_and_each_of_them_is_right() {
    let text = include_str!("../../gateway.toml");
    let is_key = |line: &str| {
        let key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let end = line.find(|c| !key(c)).unwrap_or(0);
        line.starts_with('[') || (end > 0 && line[end..].starts_with(" = "))
    };
    let plain = text.lines().map(|line| match line.strip_prefix("# ").filter(|it| is_key(it)) {
        Some(key) => key,
        None => line,
    });
    let plain: String = plain.map(|line| format!("{line}\n")).collect();
    // A target has its key from one place, and the operator's listener its token.
    let instead = |line: &&str| {
        !line.starts_with("key_file") && !line.starts_with("token_file = \"/run/secrets/admin-")
    };
    let alone = plain.lines().filter(instead);
    let alone: String = alone.map(|line| format!("{line}\n")).collect();
    // A build without the feature refuses the table, which is the last one.
    let alone = match cfg!(feature = "chaos") {
        true => &*alone,
        false => alone.split("[chaos]").next().unwrap(),
    };
    let file = ConfigFile::parse(Path::new("gateway.toml"), alone).unwrap();
    let settings = file.config.settings(|name| Some(name.to_owned()));
    settings.map_err(|error| file.error(&error)).unwrap();
    let schema: serde_json::Value = serde_json::from_str(evenkeel::config::Config::SCHEMA).unwrap();
    let tables = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    let keys = tables.flat_map(|table| table["properties"].as_object().into_iter().flatten());
    for (key, _) in keys {
        let forms =
            [format!("\n{key} = "), format!("[{key}]"), format!(".{key}]"), format!(" {key} = ")];
        assert!(forms.iter().any(|form| plain.contains(form)), "{key}");
    }
}

fn setup_of_nothing() -> super::super::setup::Setup {
    setup(&["--upstream", "http://127.0.0.1:1"], None).unwrap()
}

#[test]
fn the_command_line_goes_before_the_file() {
    let file = TempConfig::new(
        "listen = \"127.0.0.1:1\"\nprofile = \"pipeline\"\nupstream = \"http://a\"\n",
    );
    let setup =
        setup(&["--config", file.path(), "--listen", "[::1]:2", "--upstream", "http://b:3/"], None)
            .unwrap();
    assert_eq!(
        (setup.listen.to_string(), setup.gateway.origin.to_string()),
        ("[::1]:2".into(), "http://b:3/".into())
    );
}

#[test]
fn a_command_line_that_is_wrong_is_told_in_one_line() {
    let up = ["--upstream", "http://a"];
    let cases: [(&[&str], &str); 18] = [
        (&[], "--upstream is missing; allowed is an origin"),
        (&["--upstream"], "--upstream has no value"),
        (&[up[0], up[1], "--retries=sk-secret"], "--retries is no option"),
        (&[up[0], up[1], "-x"], "-x is no option"),
        (&["--upstream", "a:1"], "--upstream has no http://"),
        (&["--upstream", "ftp://a"], "--upstream has no http://"),
        (&["--upstream", "http://user:sk-secret@a"], "--upstream has a user"),
        (&["--upstream", "http://a/v1"], "--upstream has a path"),
        (&["--upstream", "http://a?key=sk-secret"], "--upstream has a query"),
        (&["--upstream", "http://a:0"], "--upstream has no host, or a port"),
        (&["--upstream", "http://a:99999"], "--upstream"),
        (&["--upstream", "http://"], "--upstream is no URL"),
        (&[up[0], up[1], up[0], up[1]], "--upstream is given twice"),
        (
            &[up[0], up[1], "--listen", "8080"],
            "--listen is \"8080\"; allowed is an address and a port",
        ),
        (&[up[0], up[1], "--listen", "example.com:80"], "--listen"),
        (&[up[0], up[1], "--profile", "fast"], "allowed is interactive or pipeline"),
        (&[up[0], up[1], "--retries=3"], "--retries"),
        (&["sk-secret"], "an argument is no option"),
    ];
    for (arguments, expected) in cases {
        let line = parse(arguments).unwrap_err();
        assert!(line.contains(expected), "{arguments:?}: {line}");
        assert!(!line.contains("sk-secret") && line.lines().count() == 1, "{line}");
    }
    assert!(parse(&[up[0], up[1], "--listen", "localhost:80"]).is_ok());
}

#[test]
fn help_lists_every_flag_and_header_with_units_and_defaults() {
    for flag in ["--help", "-h"] {
        let CommandLine::Print(help) = parse(&[flag]).unwrap() else { panic!("no text") };
        for word in ["--listen", "--upstream", "--config", "--profile", "--version"] {
            assert!(help.contains(word), "{word}: {help}");
        }
        for default in ["[default: 127.0.0.1:8080]", "[default: interactive]", "[default: info]"] {
            assert!(help.contains(default), "{default}: {help}");
        }
        let texts = ["fallbacks", "commit", "deadline-ms", "priority"];
        for word in texts.into_iter().chain(["affinity", "tenant", "mid-stream-failure", "dialect"])
        {
            assert!(help.contains(&format!("evenkeel-{word}: ")), "{word}: {help}");
        }
    }
    let CommandLine::Print(help) = parse(&["--help"]).unwrap() else { panic!("no text") };
    for unit in ["30 s", "15 min", "milliseconds"] {
        assert!(help.contains(unit), "{unit}: {help}");
    }
    assert!(help.lines().all(|line| line.len() <= 132), "{help}");
}

#[cfg(not(feature = "tls"))]
#[test]
fn https_without_the_feature_tls_is_an_error_at_start() {
    let line = setup(&["--upstream", "https://127.0.0.1:1"], None).unwrap_err();
    assert!(line.contains("https://") && line.contains("the feature tls"), "{line}");
}

#[test]
fn a_file_that_is_wrong_is_told_with_line_and_field() {
    let cases = [
        ("\nlissten = 1\n", "2: lissten: is an unknown field; did you mean `listen`?"),
        ("x", "1: x: is no TOML"),
        ("\"sk-1\" = [", "1: syntax: is no TOML"),
        ("listen = \"x\"", "1: listen: is \"x\"; allowed is an address"),
        ("listen = 5", "1: listen: is a number; allowed is a text"),
        ("upstream = \"http://a/v1\"", "1: upstream: has a path"),
        ("profile = \"p\"", "1: profile: is \"p\"; allowed is interactive"),
        ("", "1: fallbacks: has no first target"),
        ("[[target]]\nmodel = \"m\"", "1: target[0].name: is missing"),
        (
            "[[target]]\nname = \"a\"\napi_key = \"sk-1\"",
            "3: target[0].api_key: is not read from a file; allowed is key_env",
        ),
        (
            "[[target]]\nname = \"a\"\nbearer = \"sk-1\"",
            "3: target[0].bearer: is not read from a file",
        ),
        ("[[target]]\nname = \"a\"\nkey_env = \"sk-1\"", "3: target[0].key_env: is not shown here"),
        (
            "[[target]]\nname = \"a\"\nkey_env = \"NO_SUCH\"",
            "3: target[0].key_env: is NO_SUCH, which is not set",
        ),
        ("[[target]]\nname = \"a b\"", "2: target[0].name: is no name"),
        ("[[target]]\nname = \"a\"", "1: target[0]: is empty; allowed is at least one of base URL"),
        (
            "[[target]]\nname = \"a\"\nbase_url = \"http://u:sk-1@a\"",
            "3: target[0].base_url: has a user",
        ),
        ("[[target]]\nname = \"a\"\nbase_url = \"a\"", "3: target[0].base_url: has no http://"),
        ("[[target]]\nname = \"a\"\nmodel = \" \"", "3: target[0].model: is blank"),
        (
            "[[target]]\nname = \"a\"\nmodel = \"m\"\ncontext = -1",
            "4: target[0].context: is -1; allowed is a whole number from 1 on",
        ),
        (
            "[[target]]\nname = \"a\"\nmodel = \"m\"\nreserve = 30",
            "4: target[0].reserve: is 30s; allowed is less than the deadline",
        ),
        (
            "[[target]]\nname = \"a\"\nkey_file = \"/no/such-file\"",
            "3: target[0].key_file: cannot be used: No such file",
        ),
        (
            "[[target]]\nname = \"a\"\nkey_file = \"/no/such-file\"\nkey_env = \"A_KEY\"",
            "3: target[0].key_file: is beside key_env",
        ),
        (
            "[[target]]\nname = \"a\"\nmodel = \"m\"\n[[target]]\nname = \"a\"\nmodel = \"n\"",
            "5: target[1].name: is \"a\", which another has",
        ),
        (
            "[[target]]\nname = \"a\"\nmodel = \"m\"",
            "1: target[0]: has no first target with a base_url",
        ),
        ("[[canned]]\nname = \"c\"\ntext = \"\"", "3: canned[0].text: is blank"),
        (
            "[[canned]]\nname = \"c\"\ntext = \"t\"\n[[canned]]\nname = \"d\"\ntext = \"t\"",
            "1: canned[0]: is \"c\"; allowed is a canned reply only as the last",
        ),
    ];
    for (toml, expected) in cases {
        let line = refused(toml);
        assert!(line.starts_with(expected), "{toml:?}: {line}");
    }
    let with_upstream = [
        ("fallbacks = [\"nope\"]", "2: fallbacks[0]: is \"nope\"; allowed are the names"),
        ("[limits]\ndeadline = 0", "3: limits.deadline: is 0ns; allowed is longer than zero"),
        ("[limits]\ndeadline = nan", "3: deadline: a number is NaN; allowed is a finite one"),
        ("[limits]\nidle = -1", "3: limits.idle: is -1"),
        (
            "[limits]\ndeadline = \"sk-1\"",
            "3: limits.deadline: is no duration; allowed is a duration with its unit, such as \"30s\"",
        ),
        (
            "[limits]\nretries = 101",
            "3: limits.retries: is 101; allowed is a whole number from 0 to 100",
        ),
        ("[limits]\nbody = 0", "3: limits.body: is 0"),
        ("[limits]\nwait = 1", "3: limits.wait: is an unknown field; allowed is one of deadline"),
        (
            "[limits]\ndeadline = 5\nattempt = 9",
            "4: limits.attempt: is 9s; allowed is at most the deadline",
        ),
        (
            "[limits]\ndeadline = 5\nconnect = 9",
            "4: limits.connect: is 9s; allowed is at most the deadline",
        ),
    ];
    for (toml, expected) in with_upstream {
        let line = refused(&format!("{UP}{toml}"));
        assert!(line.starts_with(expected), "{toml:?}: {line}");
    }
}

#[test]
fn what_is_set_of_fallbacks_traffic_and_cache_is_refused_with_line_and_field_where_it_is_wrong() {
    let target = |field: &str| format!("[[target]]\nname = \"a\"\nmodel = \"m\"\n{field}");
    let equal = "[[target]]\nname = \"b\"\ngroup = \"r\"\nmodel = \"m\"\n";
    let cases = [
        (
            target("dialect = \"openai\""),
            "5: target[0].dialect: is \"openai\"; allowed is one of openai-chat,",
        ),
        (
            target("prefill = \"yes\""),
            "5: target[0].prefill: is \"yes\"; allowed is one of message,",
        ),
        (
            target("operations = [\"yes\"]"),
            "5: target[0].operations[0]: is \"yes\"; allowed is one of chat, embeddings,",
        ),
        (target("context = 0"), "5: target[0].context: is 0; allowed is a whole number from 1 on"),
        (
            target("max_tokens = 15"),
            "5: target[0].max_tokens: is 15; allowed is a whole number from 16 on",
        ),
        (
            target("fit_context = 10"),
            "5: target[0].fit_context: is 10; allowed is a whole number from 256 on",
        ),
        (target("vision = 1"), "5: target[0].vision: is a number; allowed is true or false"),
        (target("group = \"a b\""), "5: target[0].group: is no name"),
        (
            target("fallbacks = 1"),
            "5: target[0].fallbacks: is an unknown field; allowed is one of name",
        ),
        (
            format!("{equal}{}", equal.replace("\"b\"", "\"c\"") + "tools = true"),
            "10: target[1].tools: is a key of the group",
        ),
        (
            format!(
                "{equal}{}",
                target("").replace("\"a\"", "\"r\"") + &equal.replace("\"b\"", "\"r\"")
            ),
            "10: target[2].name: is \"r\", which another has",
        ),
        (format!("{equal}{equal}"), "7: target[1].name: is \"b\", which another has"),
        (
            "[[stored]]\nname = \"s\"\nage = 0".into(),
            "4: stored[0].age: is 0ns; allowed is longer than zero",
        ),
        ("[[stored]]\nname = \"s\"".into(), "2: stored[0].age: is missing"),
        (
            "mid_stream_failure = \"yes\"".into(),
            "2: mid_stream_failure: is \"yes\"; allowed is error or continue",
        ),
        (
            "wait_for_recovery = \"yes\"".into(),
            "2: wait_for_recovery: is a text; allowed is true or false",
        ),
        (
            "[traffic]\nconcurrency = 0".into(),
            "3: traffic.concurrency: is 0; allowed is a whole number from 1",
        ),
        ("[traffic]\nrequests = 0".into(), "3: traffic.requests: is 0"),
        ("[traffic]\ntokens = -1".into(), "3: traffic.tokens: is -1; allowed"),
        (
            "[traffic]\nhedge = 2".into(),
            "3: traffic.hedge: is 2.0; allowed is more than 0, at most 1",
        ),
        ("[[traffic.model]]\ntokens = 1".into(), "2: traffic.model[0].name: is missing"),
        ("[[traffic.model]]\nname = \"\"".into(), "3: traffic.model[0].name: is blank"),
        ("[cache]\nserve_fresh_for = -1".into(), "3: cache.serve_fresh_for: is -1"),
        ("[cache]\nmax_entry_bytes = 0".into(), "3: cache.max_entry_bytes: is 0"),
    ];
    for (toml, expected) in cases {
        let line = refused(&format!("{UP}{toml}"));
        assert!(line.starts_with(expected), "{toml:?}: {line}");
    }
}

#[test]
fn a_file_of_another_system_is_read_as_it_is_meant() {
    let file = TempConfig::new("\u{feff}upstream = \"http://a\"\r\n[limits]\r\nidle = 3\r\n");
    setup(&["--config", file.path()], None).unwrap();
    let line = refused("\u{feff}upstream = \"http://a\"\r\n[limits]\r\nidle = 0\r\n");
    assert!(line.starts_with("3: limits.idle"), "{line}");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    for file in ["no-such-file.toml", "src"] {
        let line = setup(&["--config", file], None).unwrap_err();
        assert!(line.starts_with(file) && line.lines().count() == 1, "{line}");
    }
}

#[test]
fn limits_that_are_set_alone_fit_with_the_others() {
    for limit in [
        "deadline = 0.5",
        "deadline = 3600",
        "connect = 0.01",
        "attempt = 0.2",
        "first_event = 30",
        "idle = 600",
        "other = 0.1",
        "retries = 0",
    ] {
        for profile in ["interactive", "pipeline"] {
            let file = TempConfig::new(&format!("{UP}[limits]\n{limit}\n"));
            let built = setup(&["--config", file.path(), "--profile", profile], None);
            assert!(built.is_ok(), "{limit} {profile}: {:?}", built.err());
        }
    }
}

#[test]
fn an_outcome_of_the_file_is_checked() {
    let of = |table: &str| refused(&format!("{UP}[[outcome]]\n{table}"));
    assert!(
        of("is = \"x\"\nstatus = 418")
            .starts_with("3: outcome[0].is: is \"x\"; allowed is one of unavailable, ")
    );
    assert_eq!(
        of("is = \"declined\""),
        "2: outcome[0]: has no condition; allowed is at least one of status, code and words, or a finish_reason"
    );
    assert_eq!(
        of("is = \"declined\"\nstatus = 200"),
        "4: outcome[0].status: is 200; allowed is a status from 300 to 599"
    );
    assert_eq!(
        of("is = \"declined\"\nwords = [\"a\", \"\"]"),
        "4: outcome[0].words[1]: is blank; allowed is a text"
    );
    assert!(of("status = 418").starts_with("2: outcome[0].is: is missing"));
    assert_eq!(
        of("is = \"complete\"\nfinish_reason = \"x\"\nstatus = 418"),
        "4: outcome[0].finish_reason: is set beside another condition; allowed is a finish reason alone"
    );
    assert!(
        of("is = \"declined\"\nfinish_reason = \"x\"").starts_with(
            "3: outcome[0].is: is \"declined\", which is no meaning of a finish reason"
        )
    );
}

#[test]
fn the_first_outcome_that_matches_counts() {
    use evenkeel::outcome::{Outcome, classify_with};
    let tables = "[[outcome]]\nis = \"rate_limited\"\nstatus = 418\nwords = [\"busy\", \"now\"]\n[[outcome]]\nis = \"too_large\"\nstatus = 418\n";
    let codes = |text: &str| {
        let file = ConfigFile::parse(Path::new("evenkeel.toml"), text).unwrap();
        file.config.settings(|_| None).unwrap().error_codes
    };
    let known = codes(tables);
    let of = |message: &str| {
        let status = http::StatusCode::IM_A_TEAPOT;
        let headers = http::HeaderMap::new();
        classify_with(known.as_ref().unwrap(), status, &headers, message.as_bytes()).outcome()
    };
    assert_eq!(of("Busy right NOW"), Outcome::RateLimited { wait: None });
    assert_eq!(of("Busy"), Outcome::TooLarge);
    assert!(codes("").is_none());
}

/// A text in a file of that name: the settings, or the error after the name of the file.
fn read(name: &str, text: &str) -> Result<String, String> {
    let file = ConfigFile::parse(Path::new(name), text);
    let settings = file.and_then(|file| {
        let settings = file.config.settings(|name| Some(format!("key of {name}")));
        settings.map_err(|error| file.error(&error))
    });
    let settings = settings.map(|settings| format!("{settings:?}"));
    settings.map_err(|line| line.strip_prefix(&format!("{name}:")).unwrap().to_owned())
}

const TOML: &str = r#"
profile = "pipeline"
fallbacks = ["a", "sorry"]
[[target]]
name = "a"
base_url = "http://a/v1"
key_env = "A_KEY"
set = { temperature = 0.5, stop = "\n" }
reserve = "1m 30s"
[[canned]]
name = "sorry"
text = "Sorry 😀"
[limits]
idle = 2
cold_start = "off"
"#;
const YAML: &str = r#"
profile: pipeline
fallbacks: [a, sorry]
target:
  - name: a  # the first
    base_url: http://a/v1
    key_env: A_KEY
    set: { temperature: 0.5, stop: "\n" }
    reserve: 1m 30s
canned:
  - name: sorry
    text: 'Sorry 😀'
limits:
  idle: 2
  cold_start: off
traffic:
"#;
const JSON: &str = r#"{
  "profile": "pipeline",
  "fallbacks": ["a", "sorry"],
  "target": [
    { "name": "a", "base_url": "http://a/v1", "key_env": "A_KEY",
      "set": { "temperature": 0.5, "stop": "\n" }, "reserve": "1m 30s" }
  ],
  "canned": [{ "name": "sorry", "text": "Sorry \ud83d\ude00" }],
  "limits": { "idle": 2, "cold_start": "off" }
}"#;

#[test]
fn one_configuration_in_three_formats_gives_the_same_settings() {
    let settings = read("a.toml", TOML).unwrap();
    assert!(settings.contains("idle: 2s") && settings.contains("90s"), "{settings}");
    for (name, text) in [("a.yaml", YAML), ("a.yml", YAML), ("a.json", JSON)] {
        assert_eq!(read(name, text), Ok(settings.clone()), "{name}");
    }
    for name in ["a.yaml", "a.toml"] {
        assert_eq!(read(name, ""), read("a.json", "{}"), "{name}");
    }
    assert_eq!(read("a.yaml", "# nothing\n---\n# yet\n"), read("a.json", "{}"));
}

#[test]
fn an_error_has_its_line_in_every_format() {
    for (name, text, expected) in [
        (
            "a.yaml",
            "limits:\n  deadlin: 3\n",
            "2: limits.deadlin: is an unknown field; did you mean `deadline`?",
        ),
        (
            "a.yaml",
            "target:\n- name: a\n  model: m\n- name: a\n  model: n\n",
            "4: target[1].name: is \"a\", which another has",
        ),
        ("a.yaml", "limits: [\n", "2: syntax: is no YAML ("),
        ("a.yaml", "limits:\n  idle: 1\n  idle: 2\n", "3: idle: is there twice"),
        ("a.yaml", "limits: &a\n  idle: 1\nretry: *a\n", "3: retry: is an alias of YAML"),
        ("a.yaml", "limits:\n  idle: .nan\n", "2: limits.idle: is no finite number"),
        ("a.yaml", "limits:\n  idle: !!int 3\n", "2: limits.idle: has a tag"),
        (
            "a.yaml",
            "profile: pipeline\n---\nprofile: pipeline\n",
            "2: the configuration: is a second document",
        ),
        ("a.yaml", "- a\n", "1: the configuration: is a list; allowed is a table"),
        ("a.yaml", "sk-1\n", "1: the configuration: is a text; allowed is a table"),
        (
            "a.json",
            "{\n \"limits\": {\n  \"deadlin\": 3 } }",
            "3: limits.deadlin: is an unknown field; did you mean `deadline`?",
        ),
        (
            "a.json",
            "{\n \"limits\": {\n  \"idle\": 3 \"sk-1\" } }",
            "3: idle: is no JSON (expected",
        ),
        (
            "a.json",
            "{\n \"limits\": { \"idle\": 1,\n  \"idle\": 2 } }",
            "3: idle: a key is there twice; allowed is each key once",
        ),
        ("a.json", "{} {}", "1: syntax: is no JSON (trailing characters)"),
        ("a.json", "", "1: syntax: is no JSON (EOF while parsing a value)"),
        ("a.toml", "[limits]\nidle = 1\nidle = 2\n", "3: idle: is no TOML (duplicate key)"),
        (
            "a.toml",
            "profile = 2020-01-01\n",
            "1: profile: a value is a date; allowed is a text in quotes",
        ),
    ] {
        let line = read(name, text).unwrap_err();
        assert!(line.starts_with(expected) && line.lines().count() == 1, "{text:?}: {line}");
        assert!(!line.contains("sk-"), "{line}");
    }
}

#[test]
fn a_text_that_is_nested_without_end_is_refused() {
    let deep = "[".repeat(100_000);
    for name in ["a.toml", "a.yaml", "a.json"] {
        assert!(read(name, &format!("a: {deep}")).is_err(), "{name}");
        assert!(read(name, &format!("a = {deep}")).is_err(), "{name}");
        assert!(read(name, &deep).is_err(), "{name}");
    }
    // What anchors would multiply.
    let bomb = "a: &a [1, 1]\nb: &b [*a, *a]\n";
    assert!(read("a.yaml", bomb).unwrap_err().starts_with("2: b[0]: is an alias of YAML"));
}

const CHAOS: &str = "[chaos]\n[[chaos.rule]]\nfault = \"reset\"\n";

#[cfg(not(feature = "chaos"))]
#[test]
fn a_build_without_chaos_refuses_the_table_and_the_flag() {
    let line = refused(&format!("{UP}{CHAOS}"));
    assert!(line.contains("built without the feature `chaos`"), "{line}");
    let line = setup(&["--upstream", "http://127.0.0.1:1", "--chaos"], None).unwrap_err();
    assert!(line.starts_with("--chaos is set, and this program was built without"), "{line}");
}

#[cfg(feature = "chaos")]
#[test]
fn chaos_needs_the_table_and_the_flag_and_is_off_before_the_start() {
    let file = TempConfig::new(&format!("{UP}{CHAOS}"));
    let state = |arguments: &[&str]| {
        let arguments = [&["--config", file.path()], arguments].concat();
        setup(&arguments, None).unwrap().gateway.chaos.state()
    };
    assert_eq!((state(&[]), state(&["--chaos"])), (None, Some("off")));
    let line = setup(&["--upstream", "http://127.0.0.1:1", "--chaos"], None).unwrap_err();
    assert_eq!(line, "--chaos is without faults; allowed is it beside a file with a table [chaos]");
    let line = refused(&format!("{UP}{CHAOS}share = 3\n"));
    assert!(line.contains("chaos.rule[0].share"), "{line}");
}
