//! `--check`: every target is asked once, by its own key and model, in its own dialect.

use evenkeel_testkit::{Provider, Reply, Server};

use super::{
    super::check::{self, CheckPlan, CheckReport},
    support::{TempConfig, parse, setup},
};

const KEY: &str = "key-of-the-target";

async fn server(provider: &Provider) -> Server {
    Server::start(provider.clone()).await.unwrap()
}

/// The report of a check of that file.
async fn checked(toml: &str, arguments: &[&str]) -> CheckReport {
    let file = TempConfig::new(toml);
    let arguments = [&["--config", file.path(), "--check"], arguments].concat();
    let setup = setup(&arguments, Some(KEY)).unwrap();
    let Some(CheckPlan::Targets { checks, model }) = &setup.check else { panic!("{setup:?}") };
    check::run(checks, &setup.gateway.origin, model.as_deref()).await
}

#[tokio::test]
async fn every_target_is_asked_once_by_its_own_key_and_model_and_in_its_own_dialect() {
    let (one, two, three) = (Provider::new("one"), Provider::new("two"), Provider::new("three"));
    let (first, second, third) = (server(&one).await, server(&two).await, server(&three).await);
    let toml = format!(
        "[[target]]\nname = \"chat\"\nbase_url = \"{}/v1\"\nmodel = \"m1\"\nkey_env = \"A_KEY\"\n\
         [[target]]\nname = \"claude\"\nbase_url = \"{}\"\nmodel = \"m2\"\nkey_env = \"A_KEY\"\nkey_header = \"x-api-key\"\n\
         dialect = \"anthropic\"\nmax_tokens = 16\n\
         [[target]]\nname = \"a\"\ngroup = \"both\"\nbase_url = \"{}/v1\"\nmodel = \"m3\"\n\
         [[target]]\nname = \"b\"\ngroup = \"both\"\nbase_url = \"{}/v1\"\nmodel = \"m4\"\n\
         [[canned]]\nname = \"sorry\"\ntext = \"busy\"\n",
        first.url(),
        second.url(),
        third.url(),
        third.url()
    );
    let report = checked(&toml, &[]).await;
    assert!(report.is_ok(), "{report}");
    assert_eq!(report.to_string().lines().count(), 5, "{report}");
    let [chat] = &one.attempts()[..] else { panic!("asked once") };
    assert_eq!((&*chat.path, chat.model.as_deref()), ("/v1/chat/completions", Some("m1")));
    assert!(chat.headers.is("authorization", "Bearer key-of-the-target"));
    let [claude] = &two.attempts()[..] else { panic!("asked once") };
    assert_eq!((&*claude.path, claude.model.as_deref()), ("/v1/messages", Some("m2")));
    assert!(claude.headers.is("x-api-key", KEY) && claude.headers.has("anthropic-version"));
    let models: Vec<_> = three.attempts().iter().map(|it| it.model.clone().unwrap()).collect();
    assert!(models.len() == 2 && models.contains(&"m3".into()) && models.contains(&"m4".into()));
}

#[tokio::test]
async fn a_target_that_fails_and_one_without_a_model_are_not_right() {
    let (fine, keyless) = (Provider::new("fine"), Provider::new("keyless").requires("another"));
    let down = Provider::new("down").always(Reply::status(503));
    let (one, two, three) = (server(&fine).await, server(&keyless).await, server(&down).await);
    let toml = format!(
        "[[target]]\nname = \"fine\"\nbase_url = \"{}/v1\"\nmodel = \"m\"\n\
         [[target]]\nname = \"wrong-key\"\nbase_url = \"{}/v1\"\nmodel = \"m\"\nkey_env = \"A_KEY\"\n\
         [[target]]\nname = \"wrong-path\"\nbase_url = \"{}/v2/api\"\nmodel = \"m\"\n\
         [[target]]\nname = \"down\"\nbase_url = \"{}/v1\"\nmodel = \"m\"\n\
         [[target]]\nname = \"any\"\nbase_url = \"{}/v1\"\nkey_env = \"A_KEY\"\n",
        one.url(),
        two.url(),
        one.url(),
        three.url(),
        one.url()
    );
    let report = checked(&toml, &[]).await;
    let text = report.to_string();
    assert!(!report.is_ok(), "{text}");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 6, "{text}");
    assert!(lines[1].starts_with("fine ") && lines[1].ends_with("  ok"), "{text}");
    assert!(lines[2].ends_with("status 401; check its key"), "{text}");
    assert!(lines[3].contains("status 404"), "{text}");
    assert!(lines[4].ends_with("status 503"), "{text}");
    assert_eq!(
        lines[5],
        "any  NOT ASKED: it has no model; allowed is a model in the file, or --check-model MODEL"
    );
    assert!(!text.contains(KEY), "{text}");
    // A 503 is not retried: each target is asked once.
    assert_eq!(down.count(), 1);

    let before = fine.count();
    let named = checked(&toml, &["--check-model", "small"]).await;
    assert_eq!(named.to_string().lines().count(), 6, "{named}");
    let models: Vec<_> = fine.attempts()[before as usize..]
        .iter()
        .filter_map(|attempt| attempt.model.as_deref().map(str::to_owned))
        .collect();
    assert!(models.contains(&"small".to_owned()), "{models:?}");
}

#[test]
fn a_check_of_the_file_alone_asks_nobody() {
    let toml = "[[target]]\nname = \"t\"\nbase_url = \"http://127.0.0.1:1/v1\"\nmodel = \"m\"\n";
    let file = TempConfig::new(toml);
    let of = |check: &str| setup(&["--config", file.path(), check], None);
    assert!(matches!(of("--check=config").unwrap().check, Some(CheckPlan::Config)));
    assert!(matches!(of("--check=targets").unwrap().check, Some(CheckPlan::Targets { .. })));
    let up = ["--upstream", "http://127.0.0.1:1"];
    assert!(setup(&up, None).unwrap().check.is_none());
    let error = parse(&[up[0], up[1], "--check=all"]).unwrap_err();
    assert!(error.starts_with("--check is \"all\"; allowed is config or targets"), "{error}");
    let alone = parse(&[up[0], up[1], "--check-model", "m"]).unwrap_err();
    assert_eq!(alone, "--check-model has no effect; allowed is it together with --check");
}

#[test]
fn a_file_that_is_wrong_ends_a_check_too() {
    let chat = "[[target]]\nname = \"t\"\nbase_url = \"http://127.0.0.1:1/v1/chat/completions\"\nmodel = \"m\"\n";
    let file = TempConfig::new(chat);
    let line = setup(&["--config", file.path(), "--check=config"], None).unwrap_err();
    assert!(line.contains("without the path of a call"), "{line}");
    let odd = "upstream = \"http://127.0.0.1:1\"\nmid_stream_failure = \"continue\"\n";
    let file = TempConfig::new(odd);
    let line = setup(&["--config", file.path(), "--check=config"], None).unwrap_err();
    assert!(
        line.contains(":2: mid_stream_failure: is Continue; allowed is Error, or Continue"),
        "{line}"
    );
}

/// The exit statuses that `--help` documents, by the program itself.
#[test]
fn the_exit_status_is_0_1_or_2() {
    use std::process::ExitCode;
    let run = |arguments: &[&str]| {
        let all = ["evenkeel-gateway"].iter().chain(arguments).map(Into::into);
        format!("{:?}", crate::run(all))
    };
    let of = |code: u8| format!("{:?}", ExitCode::from(code));
    let file = TempConfig::new("upstream = \"http://127.0.0.1:1\"\n");
    assert_eq!(run(&["--config", file.path(), "--check=config"]), of(0));
    let file = TempConfig::new("nonsense = 1\n");
    assert_eq!(run(&["--config", file.path(), "--check=config"]), of(2));
}
