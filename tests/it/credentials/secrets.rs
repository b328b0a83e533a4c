//! No token, no signature and no error of a source shows in `Debug`, `Display`, events or logs.

use std::io::{self, Write};

use evenkeel::credentials::SigningRequest;
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::support::enable_all_tracing;

const MARK: &str = "SecretMark";

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[track_caller]
fn is_clean(text: &str, of: &str) {
    assert!(!text.contains(MARK), "{of} shows a secret: {text}");
}

fn policies() -> Vec<CredentialPolicy> {
    let token = || Credentials::bearer(MARK).expires_in(secs(60));
    vec![
        CredentialPolicy::new(move || async move { Ok::<_, BoxError>(token()) }),
        CredentialPolicy::new(|| async { Err::<Credentials, BoxError>(MARK.into()) }),
        CredentialPolicy::new(|| async {
            let name = http::HeaderName::from_static("host");
            Ok::<_, BoxError>(Credentials::bearer(MARK).header(name, MARK))
        }),
        CredentialPolicy::signer(move |request: SigningRequest| async move {
            is_clean(&format!("{request:?}"), "the request");
            Ok::<_, BoxError>(token())
        }),
    ]
}

#[tokio::test(start_paused = true)]
async fn no_credential_shows_in_debug_display_events_or_logs() {
    enable_all_tracing();
    for status in [200, 401, 503] {
        for policy in policies() {
            let (log, text) = (EventLog::default(), Log::default());
            let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
            let subscriber = subscriber.with_writer(text.clone()).finish();
            let _logging = tracing::subscriber::set_default(subscriber);
            let target = target("primary", &policy);
            is_clean(&format!("{target:?} {policy:?}"), "the target");
            let builder = log.attach_to(Client::builder().primary(target));
            is_clean(&format!("{builder:#?}"), "the builder");
            let provider = match status {
                200 => provider(),
                status => provider().always(Reply::status(status)),
            };
            let client = builder.build_with(Hosts::new([provider])).unwrap();
            for _ in 0..2 {
                match client.send(chat(true)).await {
                    Ok(answer) => is_clean(&format!("{answer:?}"), "the answer"),
                    Err(error) => {
                        let why = std::error::Error::source(&error).unwrap();
                        is_clean(&format!("{error} {error:?} {why} {why:?}"), "the error");
                    }
                }
                sleep(secs(20)).await;
            }
            is_clean(&format!("{:?} {client:?}", log.events()), "the events");
            let text = String::from_utf8(text.0.lock().unwrap().clone()).unwrap();
            assert!(text.contains("credentials") || text.contains("attempt_ended"), "{text}");
            is_clean(&text, "the log");
        }
    }
}
