//! The command line and the file: what is allowed, and the errors.

use std::path::Path;

use super::{
    super::{config::Config, config_location::ConfigSource, options::CommandLine},
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
    assert!(line.contains("key_env: is OPENAI_API_KEY, which is not set"), "{line}");
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
        (&["--upstream", "http://a?key=sk-secret"], "--upstream has a path or a query"),
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
        ("\nlissten = 1\n", "2: lissten: is unknown; allowed is one of listen"),
        ("x", "1: x: is no TOML"),
        ("\"sk-1\" = [", "1: syntax: is no TOML"),
        ("listen = \"x\"", "1: listen: is \"x\"; allowed is an address"),
        ("listen = 5", "1: listen: is of the wrong type (integer); allowed is a string"),
        ("upstream = \"http://a/v1\"", "1: upstream: has a path"),
        ("profile = \"p\"", "1: profile: is \"p\"; allowed is interactive"),
        ("", "1: fallbacks: has no first target"),
        ("[[target]]\nmodel = \"m\"", "1: name: is missing"),
        (
            "[[target]]\nname = \"a\"\napi_key = \"sk-1\"",
            "3: api_key: is not read from a file; allowed is key_env",
        ),
        ("[[target]]\nname = \"a\"\nbearer = \"sk-1\"", "3: bearer: is not read from a file"),
        ("[[target]]\nname = \"a\"\nkey_env = \"sk-1\"", "3: key_env: is not shown here"),
        (
            "[[target]]\nname = \"a\"\nkey_env = \"NO_SUCH\"",
            "3: key_env: is NO_SUCH, which is not set",
        ),
        (
            "[[target]]\nname = \"a\"\nkey_file = \"/no/such-file\"",
            "3: key_file: cannot be used: No such file",
        ),
        (
            "[[target]]\nname = \"a\"\nkey_file = \"/no/such-file\"\nkey_env = \"A_KEY\"",
            "3: key_file: is beside key_env",
        ),
        ("[[target]]\nname = \"a b\"", "2: name: is no name"),
        ("[[target]]\nname = \"a\"", "1: target: is another name for the upstream"),
        ("[[target]]\nname = \"a\"\nbase_url = \"http://u:sk-1@a\"", "3: base_url: has a user"),
        ("[[target]]\nname = \"a\"\nbase_url = \"a\"", "3: base_url: has no http://"),
        ("[[target]]\nname = \"a\"\nmodel = \" \"", "3: model: is blank"),
        ("[[target]]\nname = \"a\"\nmodel = \"m\"\ncontext = -1", "4: context: "),
        ("[[target]]\nname = \"a\"\nmodel = \"m\"\nreserve = 0", "4: reserve: is 0; allowed"),
        (
            "[[target]]\nname = \"a\"\nmodel = \"m\"\n[[target]]\nname = \"a\"\nmodel = \"n\"",
            "5: name: is \"a\", which another has",
        ),
        (
            "[[target]]\nname = \"a\"\nmodel = \"m\"",
            "1: fallbacks: has no first target with a base_url",
        ),
        ("[[canned]]\nname = \"c\"\ntext = \"\"", "3: text: is blank"),
        (
            "[[canned]]\nname = \"c\"\ntext = \"t\"\n[[canned]]\nname = \"d\"\ntext = \"t\"",
            "1: fallbacks: is with \"c\" before others",
        ),
    ];
    for (toml, expected) in cases {
        let line = refused(toml);
        assert!(line.starts_with(expected), "{toml:?}: {line}");
    }
    let with_upstream = [
        ("fallbacks = [\"nope\"]", "2: fallbacks: is \"nope\"; allowed are the names"),
        ("[limits]\ndeadline = 0", "3: limits.deadline: is 0; allowed is a number of seconds"),
        ("[limits]\ndeadline = nan", "3: limits.deadline: is NaN"),
        ("[limits]\nidle = -1", "3: limits.idle: is -1"),
        (
            "[limits]\ndeadline = \"sk-1\"",
            "3: deadline: is of the wrong type (string); allowed is f64",
        ),
        (
            "[limits]\nretries = 11",
            "3: limits.retries: is 11; allowed is a whole number from 0 to 10",
        ),
        ("[limits]\nbody = 0", "3: limits.body: is 0"),
        ("[limits]\nwait = 1", "3: wait: is unknown; allowed is one of"),
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
            "5: dialect: is \"openai\"; allowed is one of openai-chat,",
        ),
        (target("prefill = \"yes\""), "5: prefill: is \"yes\"; allowed is one of message,"),
        (
            target("operations = [\"yes\"]"),
            "5: operations: is \"yes\"; allowed is one of chat, embeddings,",
        ),
        (target("context = 0"), "5: context: is 0; allowed is a whole number from 1 on"),
        (target("max_tokens = 15"), "5: max_tokens: is 15; allowed is a whole number from 16 on"),
        (
            target("fit_context = 10"),
            "5: fit_context: is 10; allowed is a whole number from 256 on",
        ),
        (target("vision = 1"), "5: vision: is of the wrong type"),
        (target("group = \"a b\""), "5: group: is no name"),
        (target("fallbacks = 1"), "5: fallbacks: is unknown; allowed is one of name"),
        (
            format!("{equal}{}", equal.replace("\"b\"", "\"c\"") + "tools = true"),
            "10: tools: is a key of the group",
        ),
        (
            format!(
                "{equal}{}",
                target("").replace("\"a\"", "\"r\"") + &equal.replace("\"b\"", "\"r\"")
            ),
            "10: name: is \"r\", which another has",
        ),
        (format!("{equal}{equal}"), "7: name: is \"b\", which another has"),
        (
            "[[stored]]\nname = \"s\"\nage = 0".into(),
            "4: age: is 0; allowed is a number of seconds",
        ),
        ("[[stored]]\nname = \"s\"".into(), "2: age: is missing"),
        (
            "mid_stream_failure = \"yes\"".into(),
            "2: mid_stream_failure: is \"yes\"; allowed is error or continue",
        ),
        ("wait_for_recovery = \"yes\"".into(), "2: wait_for_recovery: is of the wrong type"),
        (
            "[traffic]\nconcurrency = 0".into(),
            "3: traffic.concurrency: is 0; allowed is a whole number from 1",
        ),
        ("[traffic]\nrequests = 0".into(), "3: traffic.requests: is 0"),
        ("[traffic]\ntokens = -1".into(), "3: tokens: "),
        ("[traffic]\nhedge = 2".into(), "3: traffic.hedge: is 2; allowed is a share"),
        ("[[traffic.model]]\ntokens = 1".into(), "2: name: is missing"),
        ("[[traffic.model]]\nname = \"\"".into(), "3: traffic.model.name: is blank"),
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
            .starts_with("3: outcome.is: is \"x\"; allowed is one of unavailable, ")
    );
    assert_eq!(
        of("is = \"declined\""),
        "2: outcome: has no condition; allowed is at least one of status, code and words, or a finish_reason"
    );
    assert_eq!(
        of("is = \"declined\"\nstatus = 200"),
        "4: outcome.status: is 200; allowed is a status from 300 to 599"
    );
    assert_eq!(
        of("is = \"declined\"\nwords = [\"a\", \"\"]"),
        "4: outcome.words: is empty; allowed is a text"
    );
    assert!(of("status = 418").contains("is: is missing"));
    assert_eq!(
        of("is = \"complete\"\nfinish_reason = \"x\"\nstatus = 418"),
        "4: outcome.finish_reason: is set beside another condition; allowed is a finish reason alone"
    );
    assert!(
        of("is = \"declined\"\nfinish_reason = \"x\"")
            .starts_with("3: outcome.is: is \"declined\"; allowed is one of complete, limit, ")
    );
    assert!(of("is = \"declined\"\nwords = [\"a\"]\nreason = 1").contains("reason: is unknown"));
}

#[test]
fn the_first_outcome_that_matches_counts() {
    use evenkeel::outcome::{Outcome, classify_with};
    let tables = "[[outcome]]\nis = \"rate_limited\"\nstatus = 418\nwords = [\"busy\", \"now\"]\n[[outcome]]\nis = \"too_large\"\nstatus = 418\n";
    let parse = |text: &str| {
        let source = ConfigSource { name: Path::new("evenkeel.toml"), text };
        Config::parse(source, &|_| None).unwrap()
    };
    let file = parse(tables);
    let of = |message: &str| {
        let status = http::StatusCode::IM_A_TEAPOT;
        classify_with(
            file.error_codes.as_ref().unwrap(),
            status,
            &http::HeaderMap::new(),
            message.as_bytes(),
        )
        .outcome()
    };
    assert_eq!(of("Busy right NOW"), Outcome::RateLimited { wait: None });
    assert_eq!(of("Busy"), Outcome::TooLarge);
    assert!(parse("").error_codes.is_none());
}
