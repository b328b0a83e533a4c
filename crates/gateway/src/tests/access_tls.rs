//! TLS of the listener. `tests/data/tls` has the certificates: see `tests/tls.rs` there, and
//!
//! ```text
//! openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=127.0.0.1 \
//!     -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1 -keyout renewed.key -out renewed.pem
//! ```

use std::{path::Path, sync::Arc, time::Duration};

use evenkeel::config::Config;
use evenkeel_testkit::WORDS;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    super::server::ServerTls,
    config::refused,
    support::{LONG, Models, QUICK, TempConfig, TestGateway, gateway_with},
};

fn data(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(file);
    std::fs::read_to_string(path).unwrap()
}

/// The certificate and the key of a listener, in files of their own.
struct PairOnDisk {
    certificate: TempConfig,
    key: TempConfig,
}

// === impl PairOnDisk ===

impl PairOnDisk {
    fn new(name: &str) -> Self {
        let file = |end: &str| TempConfig::new(&data(&format!("{name}.{end}")));
        Self { certificate: file("pem"), key: file("key") }
    }

    fn write(&self, certificate: &str, key: &str) {
        std::fs::write(self.certificate.path(), certificate).unwrap();
        std::fs::write(self.key.path(), key).unwrap();
    }

    fn table(&self) -> String {
        let (certificate, key) = (self.certificate.path(), self.key.path());
        format!("[tls]\ncertificate = {certificate:?}\nkey = {key:?}\n")
    }
}

/// A connection to a port of this machine, for a client that trusts the certificates of the tests.
async fn connected(port: u16) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    for file in ["authority.pem", "renewed.pem"] {
        roots.add(CertificateDer::from_pem_slice(data(file).as_bytes()).unwrap()).unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn port(gateway: &TestGateway) -> u16 {
    gateway.url.rsplit(':').next().unwrap().parse().unwrap()
}

async fn secured(pair: &PairOnDisk) -> TestGateway {
    let url = Models::default().serve().await;
    gateway_with(&format!("{}{QUICK}", pair.table()), &["--upstream", &url]).await
}

#[tokio::test]
async fn a_listener_with_a_certificate_answers_over_tls_and_names_the_scheme() {
    let gateway = secured(&PairOnDisk::new("server")).await;
    assert!(gateway.url.starts_with("https://127.0.0.1:"), "{}", gateway.url);
    let mut stream = connected(port(&gateway)).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let body = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(LONG, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("[DONE]"), "{answer}");
    assert!(answer.contains(WORDS.split(' ').next().unwrap()), "{answer}");
}

#[tokio::test]
async fn a_client_without_tls_sees_its_connection_closed_without_a_byte() {
    let gateway = secured(&PairOnDisk::new("server")).await;
    for bytes in [
        &b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"[..],
        b"\x00",
        b"\x16not a handshake at all",
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", port(&gateway))).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let ended = timeout(LONG, stream.read_to_end(&mut answer)).await.expect("it ends");
        // What was not read may reset the connection.
        assert!(ended.is_err() || answer.is_empty() || bytes[0] == 0x16, "{answer:?}");
    }
    connected(port(&gateway)).await.expect("others are answered");
}

#[tokio::test]
async fn a_certificate_that_changes_is_used_and_one_that_is_wrong_is_not() {
    let pair = PairOnDisk::new("server");
    let config: Config =
        toml::from_str(&format!("upstream = \"http://a\"\n{}", pair.table())).unwrap();
    let settings = config.settings(|_| None).unwrap();
    let tls = ServerTls::new(settings.server.access.tls.as_ref().unwrap()).unwrap();
    let served = async || {
        tls.reread();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepted = async { tls.accept(listener.accept().await.unwrap().0).await };
        let (client, server) = tokio::join!(connected(port), accepted);
        assert!(server.is_some());
        client.unwrap().get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
    };
    let leaf = |file: &str| CertificateDer::from_pem_slice(data(file).as_bytes()).unwrap();
    assert_eq!(served().await, leaf("server.pem"));
    // Only one of the two has been replaced yet.
    pair.write(&data("renewed.pem"), &data("server.key"));
    assert_eq!(served().await, leaf("server.pem"));
    pair.write("no certificate", "no key");
    assert_eq!(served().await, leaf("server.pem"));
    std::fs::remove_file(pair.key.path()).unwrap();
    assert_eq!(served().await, leaf("server.pem"));
    pair.write(&data("renewed.pem"), &data("renewed.key"));
    assert_eq!(served().await, leaf("renewed.pem"));
}

#[test]
fn files_that_are_no_pair_are_an_error_at_start_that_shows_nothing_of_them() {
    let wrong = [
        ("server.pem", "renewed.key", "tls.key: cannot be used"),
        (
            "server.key",
            "server.key",
            "tls.certificate: cannot be used: the file has no certificate",
        ),
        ("server.pem", "server.pem", "tls.key: cannot be used: the file has no key"),
    ];
    for (certificate, key, expected) in wrong {
        let pair = PairOnDisk::new("server");
        pair.write(&data(certificate), &data(key));
        let line = refused(&format!("upstream = \"http://a\"\n{}", pair.table()));
        assert!(line.contains(expected) && !line.contains("BEGIN"), "{line}");
        assert!(!line.contains(pair.key.path()), "{line}");
    }
}

#[tokio::test]
async fn a_client_that_never_begins_its_handshake_holds_nothing_but_its_own_connection() {
    let gateway = secured(&PairOnDisk::new("server")).await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(("127.0.0.1", port(&gateway))).await.unwrap());
    }
    timeout(Duration::from_secs(5), connected(port(&gateway))).await.unwrap().unwrap();
}
