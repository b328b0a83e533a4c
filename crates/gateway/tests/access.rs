//! No token and no key is in the output of a process, at the most detailed level, whatever is asked of it.
// Where a test cannot go on, a panic is its failure.
#![allow(clippy::unwrap_used)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// What must not be shown.
const SECRETS: [&str; 6] = [
    "token-in-the-environment",
    "token-in-a-file",
    "token-by-its-hash",
    "token-of-a-stranger",
    "key-of-the-target",
    "key-of-the-caller",
];
/// The SHA-256 of `token-by-its-hash`.
const HASH: &str = "61959b5359d593054d342f7a13f1e0c910e65ed2b7944375ec0bee5dda98c8d9";

/// A gateway as a process; ended with the test.
struct Gateway {
    child: Child,
    address: String,
}

// === impl Gateway ===

impl Gateway {
    fn start(config: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_evenkeel-gateway"))
            .args(["--listen", "127.0.0.1:0", "--config"])
            .arg(config)
            .env("RUST_LOG", "trace")
            .env("CALLER_TOKEN", SECRETS[0])
            .env("TARGET_KEY", SECRETS[4])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").expect(&line).to_owned();
        Self { child, address }
    }

    /// The whole answer to a request without a body.
    fn ask(&self, line: &str, headers: &[(&str, &str)]) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let body = r#"{"model":"m","messages":[]}"#;
        let head = format!(
            "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Ends it, and returns what it has logged.
    fn ended(mut self) -> String {
        self.child.kill().unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An upstream that answers every request with an error that has no part of it.
fn upstream() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut read = [0; 8192];
            let _ = stream.read(&mut read);
            let _ = stream.write_all(
                b"HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
            );
        }
    });
    url
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("evenkeel-access-{}-{name}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path
}

#[allow(clippy::disallowed_methods, reason = "no call runs on this thread")]
#[test]
fn no_token_and_no_key_is_in_the_log_or_in_an_error_of_a_run() {
    let token = file("token", SECRETS[1]);
    let callers = format!(
        "[[caller]]\nname = \"one\"\ntoken_env = \"CALLER_TOKEN\"\nlimits = {{ requests = 3 }}\n\
         [[caller]]\nname = \"two\"\ntoken_file = {token:?}\nmodels = [\"other\"]\n\
         [[caller]]\nname = \"three\"\ntoken_sha256 = \"{HASH}\"\n"
    );
    let target = format!(
        "[[target]]\nname = \"a\"\nbase_url = \"{}\"\nkey_env = \"TARGET_KEY\"\n",
        upstream()
    );
    let config = file("config.toml", &format!("{target}{callers}[limits]\ndeadline = 3\n"));
    let gateway = Gateway::start(&config);
    let mut answers = String::new();
    for secret in SECRETS {
        let bearer = format!("Bearer {secret}");
        for (line, header) in [
            ("POST /v1/chat/completions", ("authorization", &*bearer)),
            ("POST /v1/messages", ("x-api-key", secret)),
            ("POST /v1beta/models/m:generateContent", ("x-goog-api-key", secret)),
            ("POST /v1/chat/completions", ("evenkeel-token", secret)),
            ("POST /v1/chat/completions", ("cookie", secret)),
            ("GET /v1/files", ("authorization", &*bearer)),
            ("GET /v1/../a", ("authorization", &*bearer)),
            ("GET /healthz", ("authorization", &*bearer)),
            ("POST /v1/chat/completions", ("evenkeel-priority", secret)),
            ("POST /v1/chat/completions", ("origin", secret)),
        ] {
            answers += &gateway.ask(line, &[header]);
        }
        answers +=
            &gateway.ask(&format!("POST /v1beta/models/m:generateContent?key={secret}"), &[]);
    }
    std::fs::write(&token, "two lines\nof a-token-in-a-file").unwrap();
    thread::sleep(Duration::from_millis(1100));
    answers += &gateway.ask("POST /v1/chat/completions", &[("authorization", "Bearer unknown")]);
    let log = gateway.ended();
    for status in [200, 400, 401, 403, 429] {
        assert!(answers.contains(&format!("HTTP/1.1 {status} ")), "no answer has {status}");
    }
    assert!(log.contains("the file of a token cannot be used"), "{log}");
    for secret in SECRETS {
        // The name of a header that is wrong is shown with its value to the caller who sent it, and to nobody else.
        let shown =
            answers.replace(&format!("the header evenkeel-priority is \\\"{secret}\\\""), "");
        assert!(!shown.contains(secret), "{secret} is in an answer");
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    let _ = (std::fs::remove_file(token), std::fs::remove_file(config));
}
