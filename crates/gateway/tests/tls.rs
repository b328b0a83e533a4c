//! HTTPS upstreams: a certificate that is trusted, one that is not, and the way through a proxy.
//!
//! The gateway runs as a process, since the environment names the certificates to trust. `tests/data/tls` has an authority,
//! the certificate that it issued to 127.0.0.1, and another authority; they are valid for a hundred years:
//!
//! ```text
//! openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=authority \
//!     -addext basicConstraints=critical,CA:TRUE -keyout authority.key -out authority.pem
//! openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=127.0.0.1 -keyout server.key -out server.csr
//! openssl x509 -req -in server.csr -CA authority.pem -CAkey authority.key -days 36500 -out server.pem \
//!     -extfile <(echo subjectAltName=IP:127.0.0.1)
//! ```
// Where a test cannot go on, a panic is its failure.
#![allow(clippy::unwrap_used)]

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

const LONG: Duration = Duration::from_secs(20);

/// An upstream on a loopback port that speaks TLS and nothing else.
struct Upstream {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

/// What an upstream has seen.
#[derive(Debug, Default)]
struct Seen {
    /// The first byte of each connection: 22 is a TLS handshake.
    first_bytes: Vec<u8>,
    handshakes: usize,
    /// The target of each request.
    requests: Vec<String>,
}

/// The gateway as a process; ended with the test.
struct Gateway {
    url: String,
    _child: Child,
}

fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(file)
}

// === impl Upstream ===

impl Upstream {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let upstream = Self { port, seen: seen.clone() };
        let acceptor = acceptor();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(acceptor.clone(), stream, seen.clone()));
            }
        });
        upstream
    }
}

fn acceptor() -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(data("server.pem")).unwrap();
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(data("server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key).unwrap()))
}

async fn serve(acceptor: TlsAcceptor, stream: TcpStream, seen: Arc<Mutex<Seen>>) {
    let mut first = [0];
    if stream.peek(&mut first).await.unwrap_or(0) == 1 {
        seen.lock().unwrap().first_bytes.push(first[0]);
    }
    // A client that does not trust the certificate ends the handshake.
    let Ok(stream) = acceptor.accept(stream).await else { return };
    seen.lock().unwrap().handshakes += 1;
    let answer = service_fn(async |request: Request<Incoming>| {
        seen.lock().unwrap().requests.push(request.uri().to_string());
        Ok::<_, Infallible>(Response::new(Full::<bytes::Bytes>::from("over TLS")))
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}

// === impl Gateway ===

/// The binary with this upstream, and nothing else in its environment.
fn command(upstream: &Upstream, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_evenkeel-gateway"));
    let origin = format!("https://127.0.0.1:{}", upstream.port);
    command.args(["--listen", "127.0.0.1:0", "--upstream", &origin]);
    command.env_clear().envs(environment.iter().copied());
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

impl Gateway {
    async fn start(upstream: &Upstream, environment: &[(&str, &str)]) -> Self {
        let mut command = command(upstream, environment);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        timeout(LONG, out.read_line(&mut line)).await.unwrap().unwrap();
        let url = line.trim().strip_prefix("listening on ").expect(&line).to_owned();
        Self { url, _child: child }
    }

    /// Sends a request as it is, and returns the whole response.
    async fn get(&self, target: &str) -> String {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).await.unwrap();
        let request =
            format!("GET {target} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        timeout(LONG, stream.read_to_string(&mut response)).await.unwrap().unwrap();
        response
    }
}

#[tokio::test]
async fn an_upstream_with_a_trusted_certificate_answers_over_one_kept_connection() {
    let upstream = Upstream::start().await;
    let authority = data("authority.pem");
    let environment = [("SSL_CERT_FILE", authority.to_str().unwrap())];
    let gateway = Gateway::start(&upstream, &environment).await;
    let targets = ["/v1/models", "/a%2Fb/../c/./d?x='y'", "//two//slashes"];
    for target in targets {
        let response = gateway.get(target).await;
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
        assert!(response.contains("evenkeel-attempts: 1\r\n"), "{response}");
        assert!(response.ends_with("over TLS"), "{response}");
    }
    let seen = upstream.seen.lock().unwrap();
    assert_eq!(seen.requests, targets, "path and query stay as they are");
    assert_eq!((seen.handshakes, seen.first_bytes.as_slice()), (1, &[22][..]));
}

#[tokio::test]
async fn a_certificate_of_a_stranger_is_refused_in_the_handshake_and_the_error_says_so() {
    let upstream = Upstream::start().await;
    let stranger = data("stranger.pem");
    let environment = [("SSL_CERT_FILE", stranger.to_str().unwrap())];
    let gateway = Gateway::start(&upstream, &environment).await;
    let response = gateway.get("/v1/models").await;
    assert!(response.starts_with("HTTP/1.1 502 "), "{response}");
    assert!(response.contains("evenkeel_unreachable"), "{response}");
    assert!(response.contains("invalid peer certificate: "), "{response}");
    let seen = upstream.seen.lock().unwrap();
    assert!(!seen.first_bytes.is_empty(), "no attempt");
    assert!(seen.first_bytes.iter().all(|byte| *byte == 22), "not a ClientHello: {seen:?}");
    assert_eq!((seen.handshakes, seen.requests.len()), (0, 0), "nothing is sent");
}

#[tokio::test]
async fn the_proxy_of_the_environment_is_asked_to_connect() {
    let upstream = Upstream::start().await;
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = data("authority.pem");
    let url = format!("http://user:password@{}", proxy.local_addr().unwrap());
    let environment =
        [("SSL_CERT_FILE", authority.to_str().unwrap()), ("HTTPS_PROXY", url.as_str())];
    let gateway = Gateway::start(&upstream, &environment).await;
    let tunnel = async {
        let (mut caller, _) = proxy.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(caller.read_u8().await.unwrap());
        }
        let mut behind = TcpStream::connect(("127.0.0.1", upstream.port)).await.unwrap();
        caller.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        tokio::spawn(async move { copy_bidirectional(&mut caller, &mut behind).await });
        String::from_utf8(head).unwrap()
    };
    let (response, head) = tokio::join!(gateway.get("/v1/models"), tunnel);
    assert!(response.ends_with("over TLS"), "{response}");
    assert!(head.starts_with(&format!("CONNECT 127.0.0.1:{} ", upstream.port)), "{head}");
    assert!(head.to_ascii_lowercase().contains("proxy-authorization: basic "), "{head}");
}

#[tokio::test]
async fn without_a_certificate_to_trust_it_does_not_start() {
    let upstream = Upstream::start().await;
    let empty = data("server.key");
    let environment = [("SSL_CERT_FILE", empty.to_str().unwrap())];
    let ended = command(&upstream, &environment).output();
    let Output { status, stderr, .. } = timeout(LONG, ended).await.unwrap().unwrap();
    let line = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), line.lines().count()), (Some(2), 1), "{line}");
    assert!(line.starts_with("evenkeel-gateway: ") && line.contains("SSL_CERT_FILE"), "{line}");
}
