//! The configuration is read again while the gateway runs.

use std::{path::Path, time::Duration};

use evenkeel_testkit::Reply;
use serde_json::Value;
use tokio::{sync::mpsc, time::sleep};

use super::{
    super::{
        reload::{self, Current, Source},
        server::GatewayServer,
        setup::Setup,
    },
    support::{LONG, Models, QUICK, TempConfig, TestGateway, setup, soon},
};

/// A gateway whose file is read again every few milliseconds.
struct Reloading {
    gateway: TestGateway,
    file: TempConfig,
    current: Current,
    ask: mpsc::Sender<()>,
}

const EVERY: Duration = Duration::from_millis(20);

impl Reloading {
    async fn start(toml: &str, every: Duration) -> Self {
        let file = TempConfig::new(toml);
        let arguments = ["--listen", "127.0.0.1:0", "--config", file.path()];
        Self::of(setup(&arguments, Some("a-key")).unwrap(), file, every).await
    }

    async fn of(setup: Setup, file: TempConfig, every: Duration) -> Self {
        let env = |name: &str| name.ends_with("_KEY").then(|| "a-key".to_owned());
        let source = Source::with(&setup, env).every(every);
        let server = GatewayServer::bind(setup).await.unwrap();
        let (current, url) = (server.current().clone(), format!("http://{}", server.address()));
        let (stop, stopped) = mpsc::channel(2);
        let ask = reload::start(source, current.clone());
        let gateway =
            TestGateway { url, admin: None, stop, running: tokio::spawn(server.run(stopped)) };
        Self { gateway, file, current, ask }
    }

    fn write(&self, toml: &str) {
        std::fs::write(self.file.path(), toml).unwrap();
    }

    fn reloads(&self) -> u64 {
        self.current.status().reloads
    }

    /// The line of the last refusal.
    fn refused(&self) -> Option<String> {
        self.current.status().refused.map(|refused| refused.error)
    }

    async fn answered_by(&self) -> (u16, String) {
        let response = self.gateway.chat("m", false).send().await.unwrap();
        let header = |name: &str| {
            let value = response.headers().get(name);
            value.map(|it| it.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        let by = header("evenkeel-served-by");
        (response.status().as_u16(), by)
    }
}

fn target(name: &str, url: &str, model: &str) -> String {
    format!(
        "[[target]]\nname = \"{name}\"\nbase_url = \"{url}\"\nmodel = \"{model}\"\nkey_env = \"A_KEY\"\n"
    )
}

#[tokio::test]
async fn a_changed_file_is_used_and_breakers_stay_as_they_were() {
    let models = Models::default().always("bad", Reply::status(500));
    let url = models.serve().await;
    let both = |rest: &str| {
        format!("{}{}{QUICK}{rest}", target("first", &url, "bad"), target("second", &url, "good"))
    };
    let reloading = Reloading::start(&both("[breaker]\nconsecutive_failures = 1\n"), EVERY).await;
    assert_eq!(reloading.answered_by().await, (200, "second".into()));
    let asked = models.of("bad").count();
    let health = reloading.gateway.health().await;
    let open = |health: &Value| health["routes"].to_string().contains("\"state\":\"open\"");
    assert!(open(&health), "{health}");

    reloading.write(&both(
        "[breaker]\nconsecutive_failures = 1\n[[canned]]\nname = \"sorry\"\ntext = \"later\"\n",
    ));
    soon(|| reloading.reloads() == 1).await;
    assert_eq!(reloading.answered_by().await, (200, "second".into()));
    assert_eq!(models.of("bad").count(), asked, "its breaker is still open");
    let health = reloading.gateway.health().await;
    assert!(open(&health) && health["config"]["reloads"] == 1, "{health}");
    assert_eq!(health["config"]["refused_at"], Value::Null);
}

#[tokio::test]
async fn a_wrong_file_is_refused_once_with_its_line_and_the_old_configuration_stays() {
    let models = Models::default();
    let url = models.serve().await;
    let right = format!("{}{QUICK}", target("first", &url, "good"));
    let reloading = Reloading::start(&right, EVERY).await;
    for (wrong, line) in [
        (right.replace("deadline = 6", "deadline = \"six\""), ":7: limits.deadline: "),
        (format!("{right}[retries"), "is no TOML"),
        (format!("{right}attmpt = 3\n"), "limits.attmpt"),
        (right.replace("A_KEY", "UNSET"), ":5: target[0].key_env: is UNSET, which is not set"),
    ] {
        reloading.write(&wrong);
        soon(|| reloading.refused().is_some_and(|error| error.contains(line))).await;
        let error = reloading.refused().unwrap();
        assert!(error.starts_with(reloading.file.path()) && error.lines().count() == 1, "{error}");
        let refused_at = reloading.current.status().refused.unwrap().at;
        sleep(EVERY * 5).await;
        assert_eq!(reloading.current.status().refused.unwrap().at, refused_at, "once a content");
        assert_eq!(reloading.answered_by().await, (200, "first".into()));
    }
    assert_eq!(reloading.reloads(), 0);
    reloading.write(&format!("{right}# right again\n"));
    soon(|| reloading.reloads() == 1).await;
    assert_eq!(reloading.refused(), None);
}

#[tokio::test]
async fn a_failed_reload_leaves_the_settings_of_kept_state_alone() {
    let models = Models::default().always("bad", Reply::status(500));
    let url = models.serve().await;
    let file = |failures: u32, rest: &str| {
        let target = target("first", &url, "bad");
        format!("{target}{QUICK}[breaker]\nconsecutive_failures = {failures}\n{rest}")
    };
    let reloading = Reloading::start(&file(1, ""), EVERY).await;
    // Right by itself, and wrong for the client of other requests alone.
    reloading.write(&file(50, "[retries]\nretries = 101\n"));
    soon(|| reloading.refused().is_some()).await;
    reloading.answered_by().await;
    let health = reloading.gateway.health().await;
    assert!(health["routes"].to_string().contains("\"state\":\"open\""), "{health}");
}

#[tokio::test]
async fn a_request_takes_the_file_at_once_and_an_empty_one_too() {
    let models = Models::default();
    let url = models.serve().await;
    let right = format!("{}{QUICK}", target("first", &url, "good"));
    let reloading = Reloading::start(&right, LONG).await;
    reloading.write(&right.replace("\"first\"", "\"renamed\""));
    reloading.ask.send(()).await.unwrap();
    soon(|| reloading.reloads() == 1).await;
    assert_eq!(reloading.answered_by().await, (200, "renamed".into()));
    reloading.write("");
    reloading.ask.send(()).await.unwrap();
    soon(|| reloading.refused().is_some_and(|error| error.contains("no first target"))).await;
    // The same content again is read and built again: a key file may have changed.
    reloading.write(&right);
    for reloads in 2..4 {
        reloading.ask.send(()).await.unwrap();
        soon(|| reloading.reloads() == reloads).await;
    }
}

#[tokio::test]
async fn the_route_of_a_key_in_a_file_is_the_same_after_a_reload() {
    let models = Models::default().always("bad", Reply::status(500));
    let (url, key) = (models.serve().await, TempConfig::new("a-key-in-a-file"));
    let first = target("first", &url, "bad")
        .replace("key_env = \"A_KEY\"", &format!("key_file = {:?}", key.path()));
    let toml = format!("{first}{QUICK}[breaker]\nconsecutive_failures = 1\n");
    let reloading = Reloading::start(&toml, LONG).await;
    reloading.answered_by().await;
    let asked = models.of("bad").count();
    reloading.ask.send(()).await.unwrap();
    soon(|| reloading.reloads() == 1).await;
    reloading.answered_by().await;
    let health = reloading.gateway.health().await;
    assert_eq!(health["routes"].as_array().map(Vec::len), Some(1), "{health}");
    assert_eq!(models.of("bad").count(), asked, "its breaker is still open");
}

#[cfg(unix)]
#[tokio::test]
async fn a_symlink_that_is_swapped_and_a_file_that_is_renamed_into_place_are_seen() {
    let models = Models::default();
    let url = models.serve().await;
    let named = |name: &str| TempConfig::new(&format!("{}{QUICK}", target(name, &url, "good")));
    let files = ["one", "two", "three"].map(named);
    let link = TempConfig::new("");
    let point_to = |file: &TempConfig| {
        let new = format!("{}.new", link.path());
        std::os::unix::fs::symlink(file.path(), &new).unwrap();
        std::fs::rename(new, link.path()).unwrap();
    };
    point_to(&files[0]);
    let setup =
        setup(&["--listen", "127.0.0.1:0", "--config", link.path()], Some("a-key")).unwrap();
    let reloading = Reloading::of(setup, named("unused"), EVERY).await;
    assert_eq!(reloading.answered_by().await.1, "one");
    point_to(&files[1]);
    soon(|| reloading.reloads() == 1).await;
    assert_eq!(reloading.answered_by().await.1, "two");
    let aside = format!("{}.aside", files[2].path());
    std::fs::copy(files[2].path(), &aside).unwrap();
    std::fs::rename(Path::new(&aside), link.path()).unwrap();
    soon(|| reloading.reloads() == 2).await;
    assert_eq!(reloading.answered_by().await.1, "three");
}

#[tokio::test]
async fn no_call_is_lost_while_the_configuration_is_read_again() {
    const CALLS: usize = 300;
    const RELOADS: u64 = 5;
    let slow = Reply::answer().between_events(Duration::from_millis(2));
    let models = Models::default().always("one", slow.clone()).always("two", slow);
    let url = models.serve().await;
    let file = |model: &str, connect: u64| {
        let limits = QUICK.replace("connect = 1", &format!("connect = {connect}"));
        format!("{}{limits}[traffic]\nconcurrency = 24\n", target("first", &url, model))
    };
    let reloading = Reloading::start(&file("one", 1), LONG).await;
    let (sent, answered) = (std::sync::atomic::AtomicUsize::new(0), std::cell::Cell::new(0));
    let client = super::support::client();
    let worker = |worker: usize| {
        let (reloading, sent, answered, client) = (&reloading, &sent, &answered, &client);
        async move {
            while sent.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < CALLS {
                let stream = worker % 2 == 0;
                let body = format!(
                    r#"{{"model":"x","stream":{stream},"messages":[{{"role":"user","content":"hi"}}]}}"#
                );
                let call = client.post(reloading.gateway.at("/v1/chat/completions")).body(body);
                let response = call.send().await.unwrap();
                assert_eq!(response.status(), 200);
                assert_eq!(response.headers()["evenkeel-attempts"], "1");
                let text = response.text().await.unwrap();
                assert_eq!(text.contains("data: [DONE]"), stream, "{text}");
                answered.set(answered.get() + 1);
            }
        }
    };
    let reloads = async {
        for nth in 1..=RELOADS {
            let at = CALLS * nth as usize / (RELOADS as usize + 1);
            soon(|| sent.load(std::sync::atomic::Ordering::Relaxed) > 0).await;
            while answered.get() < at {
                sleep(Duration::from_millis(2)).await;
            }
            // New connections as well, every other time.
            reloading.write(&file(if nth % 2 == 0 { "one" } else { "two" }, 1 + nth / 2));
            reloading.ask.send(()).await.unwrap();
            while reloading.reloads() < nth {
                sleep(Duration::from_millis(2)).await;
            }
        }
    };
    tokio::join!(futures_util::future::join_all((0..16).map(worker)), reloads);
    assert_eq!((answered.get(), reloading.reloads()), (CALLS, RELOADS));
    let asked = ["one", "two"].map(|model| models.of(model).count());
    assert_eq!(asked.iter().sum::<u64>(), CALLS as u64, "each once");
    assert!(asked.iter().all(|count| *count > 0), "both configurations answered: {asked:?}");
    let health = reloading.gateway.health().await;
    let busy = health["limits"].as_array().unwrap().iter().any(|it| it["in_flight"] != 0);
    assert!(!busy, "all permits are back: {health}");
}
