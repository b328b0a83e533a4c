//! `--probe`: asks a gateway that is running.

use axum::body::Body;
use http::Response;
use tokio::{
    net::TcpListener,
    time::{Duration, sleep},
};

use super::{
    super::{
        options::CommandLine,
        probe::{ProbeError, probe},
    },
    support::{RecordingUpstream, TempConfig, TestGateway, gateway_for, parse},
};

/// The result of a probe with this command line.
async fn probed(arguments: &[&str]) -> Result<String, ProbeError> {
    let CommandLine::Probe(options) = parse(arguments).unwrap() else { panic!("{arguments:?}") };
    probe(&options).await
}

fn failed(result: Result<String, ProbeError>) -> String {
    let Err(ProbeError::Failed(line)) = result else { panic!("{result:?}") };
    line
}

/// A gateway whose upstream is down: that is no reason for a health check to fail.
async fn without_upstream() -> (TestGateway, String) {
    let gateway = gateway_for("http://127.0.0.1:1").await;
    let address = gateway.url.strip_prefix("http://").unwrap().to_owned();
    (gateway, address)
}

#[tokio::test]
async fn a_gateway_is_found_by_its_listen_address_its_file_or_a_url() {
    let (gateway, address) = without_upstream().await;
    let port = address.rsplit(':').next().unwrap();
    let file = TempConfig::new(&format!(
        "listen = \"{address}\"\n[[target]]\nname = \"a\"\nbase_url = \"http://127.0.0.1:1\"\nkey_env = \"NOT_SET_ANYWHERE\"\n"
    ));
    let every = TempConfig::new(&format!(
        "listen = \"0.0.0.0:{port}\"\nupstream = \"http://127.0.0.1:1\"\n"
    ));
    let cases: &[&[&str]] = &[
        &["--probe", "--listen", &address],
        &["--probe", "--config", file.path()],
        &["--probe", "--config", every.path()],
        &["--probe", "--config", "not-there.toml", "--listen", &address],
        &[&format!("--probe={}", gateway.url)],
        &[&format!("--probe={}/healthz", gateway.url)],
    ];
    for arguments in cases {
        let line = probed(arguments).await.unwrap();
        assert!(line.ends_with(" is up"), "{arguments:?}: {line}");
    }
}

#[tokio::test]
async fn what_answers_otherwise_or_not_at_all_is_down() {
    let upstream = RecordingUpstream::default();
    let unavailable = || Response::builder().status(503).body(Body::empty()).unwrap();
    let url = upstream.answering(unavailable).await;
    let line = failed(probed(&[&format!("--probe={url}/readyz?full")]).await);
    assert!(line.ends_with("/readyz?full has status 503"), "{line}");
    assert_eq!(upstream.all()[0].0.uri, "/readyz?full");
    let line = failed(probed(&["--probe=http://127.0.0.1:1"]).await);
    assert!(line.contains("does not answer: "), "{line}");
}

#[tokio::test]
async fn a_gateway_that_accepts_and_is_silent_is_down_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("--probe=http://{}", listener.local_addr().unwrap());
    let arguments = [url.as_str()];
    let silent = async {
        let (stream, _) = listener.accept().await.unwrap();
        sleep(Duration::from_secs(60)).await;
        drop(stream);
    };
    let line = tokio::select! {
        result = probed(&arguments) => failed(result),
        () = silent => panic!("it waited for longer than a minute"),
    };
    assert!(line.contains("does not answer within"), "{line}");
}

#[tokio::test]
async fn a_probe_of_nothing_in_particular_is_refused_and_says_what_is_allowed() {
    let wrong = [
        (vec!["--probe=127.0.0.1:8080"], "--probe is no URL; allowed is"),
        (vec!["--probe=ftp://a"], "--probe is no URL; allowed is"),
        (vec!["--probe=http://user:secret@a/"], "--probe is no URL; allowed is"),
        (vec!["--probe", "--check"], "excludes --"),
    ];
    for (arguments, says) in wrong {
        let error = parse(&arguments).unwrap_err();
        assert!(error.contains(says) && !error.contains("secret"), "{arguments:?}: {error}");
    }
    let unknown = probed(&["--probe", "--listen", "127.0.0.1:0"]).await;
    let Err(ProbeError::Config(line)) = unknown else { panic!("{unknown:?}") };
    assert!(line.contains("allowed is --probe=URL"), "{line}");
    let file = TempConfig::new("listen = 1\n");
    let unread = probed(&["--probe", "--config", file.path()]).await;
    let Err(ProbeError::Config(line)) = unread else { panic!("{unread:?}") };
    assert!(line.contains(":1: listen"), "{line}");
}
