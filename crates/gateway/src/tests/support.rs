//! A gateway in process, and upstreams that record requests.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body};
use bytes::Bytes;
use evenkeel_testkit::{Provider, Reply};
use http::{Request, Response, request::Parts};
use http_body_util::BodyExt;
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep},
};
use tower::ServiceExt;

use super::super::{
    options::{CommandLine, Options},
    server::GatewayServer,
    setup::Setup,
};

pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A gateway that is running.
#[derive(Debug)]
pub(crate) struct TestGateway {
    pub(crate) url: String,
    /// Of the operator's listener, if there is one.
    pub(crate) admin: Option<String>,
    pub(crate) stop: mpsc::Sender<()>,
    pub(crate) running: JoinHandle<()>,
}

/// Time limits of seconds instead of half a minute.
pub(crate) const QUICK: &str =
    "[limits]\ndeadline = 6\nconnect = 1\nattempt = 2\nfirst_event = 1\nidle = 1\nother = 3\n";

/// The setup of a command line, without the name of the program. `key` is the value of every `…_KEY` in the environment.
pub(crate) fn setup(arguments: &[&str], key: Option<&str>) -> Result<Setup, String> {
    let CommandLine::Serve(options) = parse(arguments)? else { panic!("--help in {arguments:?}") };
    Setup::with(options, &|name| key.filter(|_| name.ends_with("_KEY")).map(str::to_owned))
}

/// Parses a command line, without the name of the program.
pub(crate) fn parse(arguments: &[&str]) -> Result<CommandLine, String> {
    Options::parse(["evenkeel-gateway"].iter().chain(arguments).map(Into::into))
}

/// A gateway with this configuration.
pub(crate) async fn gateway_with(toml: &str, arguments: &[&str]) -> TestGateway {
    let file = TempConfig::new(toml);
    let arguments = [&["--listen", "127.0.0.1:0", "--config", file.path()], arguments].concat();
    started(setup(&arguments, Some("key-of-the-target")).unwrap()).await
}

/// A gateway in front of two equal targets, `m1` and `m2`.
pub(crate) async fn gateway_of_equals(models: &Models) -> TestGateway {
    let url = models.serve().await;
    let target = |n| {
        format!(
            "[[target]]\nname = \"t{n}\"\ngroup = \"all\"\nbase_url = \"{url}\"\nmodel = \"m{n}\"\nkey_env = \"A_KEY\"\n"
        )
    };
    gateway_with(&format!("{}{}{QUICK}", target(1), target(2)), &[]).await
}

/// A gateway in front of that upstream, with short limits.
pub(crate) async fn gateway_for(upstream: &str) -> TestGateway {
    gateway_with(QUICK, &["--upstream", upstream]).await
}

pub(crate) async fn started(setup: Setup) -> TestGateway {
    let server = GatewayServer::bind(setup).await.unwrap();
    let url = format!("http://{}", server.address());
    let admin = server.admin_address().map(|address| format!("http://{address}"));
    let (stop, stopped) = mpsc::channel(2);
    TestGateway { url, admin, stop, running: tokio::spawn(server.run(stopped)) }
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().retry(reqwest::retry::never()).no_proxy().build().unwrap()
}

// === impl TestGateway ===

impl TestGateway {
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// A chat with that model.
    pub(crate) fn chat(&self, model: &str, stream: bool) -> reqwest::RequestBuilder {
        let body = format!(
            r#"{{"model":"{model}","stream":{stream},"messages":[{{"role":"user","content":"hi"}}]}}"#
        );
        client().post(self.at("/v1/chat/completions")).bearer_auth("key-of-the-caller").body(body)
    }

    pub(crate) async fn health(&self) -> Value {
        let response = client().get(self.at("/healthz")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }
}

/// Waits until the condition holds.
pub(crate) async fn soon(condition: impl Fn() -> bool) {
    let until = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < until, "the condition never held");
        sleep(Duration::from_millis(2)).await;
    }
}

/// Serves a router on any free port: its URL.
pub(crate) async fn upstream(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let service =
                router.clone().map_request(|it: Request<hyper::body::Incoming>| it.map(Body::new));
            let service = TowerToHyperService::new(service);
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    url
}

/// An upstream that records requests and gives a fixed answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordingUpstream(Arc<Mutex<Vec<(Parts, Bytes)>>>);

impl RecordingUpstream {
    pub(crate) async fn answering(
        &self,
        answer: impl Fn() -> Response<Body> + Clone + Send + Sync + 'static,
    ) -> String {
        let seen = self.0.clone();
        upstream(Router::new().fallback(async move |request: Request<Body>| {
            let (parts, body) = request.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            seen.lock().unwrap().push((parts, bytes));
            answer()
        }))
        .await
    }

    pub(crate) fn all(&self) -> Vec<(Parts, Bytes)> {
        self.0.lock().unwrap().clone()
    }
}

/// One upstream with a provider for each model; other models answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Models(Arc<Mutex<HashMap<String, Provider>>>);

impl Models {
    pub(crate) fn with(self, model: &str, provider: Provider) -> Self {
        self.0.lock().unwrap().insert(model.into(), provider);
        self
    }

    pub(crate) fn always(self, model: &str, reply: Reply) -> Self {
        self.with(model, Provider::new(model).always(reply))
    }

    pub(crate) fn once(self, model: &str, reply: Reply) -> Self {
        self.with(model, Provider::new(model).replies([reply]))
    }

    pub(crate) fn of(&self, model: &str) -> Provider {
        let mut all = self.0.lock().unwrap();
        all.entry(model.into()).or_insert_with(|| Provider::new(model)).clone()
    }

    pub(crate) async fn serve(&self) -> String {
        let models = self.clone();
        upstream(
            Router::new()
                .fallback(async move |request: Request<Body>| models.answer(request).await),
        )
        .await
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        if parts.uri.path() == "/v1/models" {
            let list = r#"{"object":"list","data":[{"id":"good","object":"model","created":1,"owned_by":"us"}]}"#;
            return Response::builder()
                .header("content-type", "application/json")
                .body(list.into())
                .unwrap();
        }
        let bytes = body.collect().await.unwrap().to_bytes();
        let asked: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let provider = self.of(asked["model"].as_str().unwrap_or("-"));
        match provider.oneshot(Request::from_parts(parts, bytes)).await {
            Ok(response) => response.map(Body::new),
            // Breaks the connection.
            Err(error) => {
                let broken = futures_util::stream::iter([Err::<Bytes, _>(error)]);
                Response::builder()
                    .header("content-length", "9")
                    .body(Body::from_stream(broken))
                    .unwrap()
            }
        }
    }
}

/// A configuration in a file, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct TempConfig(PathBuf);

impl TempConfig {
    pub(crate) fn new(text: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let file = std::env::temp_dir()
            .join(format!("evenkeel-gateway-{}-{number}.toml", std::process::id()));
        std::fs::write(&file, text).unwrap();
        Self(file)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TempConfig {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(Path::new(&self.0));
    }
}
