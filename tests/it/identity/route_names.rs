//! The names of routes are short and plain wherever they are stored, shown, emitted or logged.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use evenkeel::{context::Route, fallback::Target};
use tracing_subscriber::fmt::MakeWriter;

use super::*;

use crate::support::{EventLog, enable_all_tracing, with_body, without_retries};

const ODD: &str = "x\nFAKE\u{1b}[31m\u{202e}";

fn of_model(model: &str) -> Request {
    let body = serde_json::json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
    with_body(body.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_model_of_a_mebibyte_makes_a_route_of_a_line() {
    let provider = down();
    let client = over(Client::builder().profile(without_retries()), [&provider]);
    for n in 0..20 {
        let model = format!("{}{n}", "m".repeat(1 << 20));
        call(&client, of_model(&model)).await.ok();
    }
    let list = client.breakers().list();
    let own: Vec<_> = list.iter().filter(|(route, _)| route.credential() != "*").collect();
    assert_eq!(own.len(), 20, "each has its own");
    assert!(list.iter().all(|(route, _)| route.to_string().len() < 320));
}

#[test]
fn each_part_of_a_route_is_bounded_plain_and_stable() {
    let long = "n".repeat(1 << 20);
    let route = Route::new(&long, ODD, &long);
    for part in [route.provider(), route.model(), route.credential()] {
        assert!(part.len() <= 145 && !part.contains(char::is_control), "{part}");
    }
    assert_eq!(Route::new(route.provider(), route.model(), route.credential()), route);
    assert_ne!(Route::new(&long, "x\nFAKE", "-"), Route::new(&long, "x\nFALSE", "-"));
    assert_ne!(
        Route::new(&format!("{long}1"), "m", "-"),
        Route::new(&format!("{long}2"), "m", "-")
    );
}

#[tokio::test(start_paused = true)]
async fn no_name_of_a_caller_stands_for_all_models() {
    let provider = Provider::new("primary");
    let client = client(&provider);
    let route = client.routes_of(&of_model("*")).remove(0);
    assert!(route.model() != "*" && route.model().starts_with("\\u{2a}"), "{route}");
    call(&client, of_model("*")).await.unwrap().is_whole();
    assert_eq!(client.breakers().list()[0].0, route);
}

#[test]
fn a_label_that_stands_for_many_credentials_or_for_none_is_refused() {
    for label in ["*", "-", "~0123456789ab"] {
        let target = Target::same_host().bearer("k").label(label);
        let built = Client::builder().primary(target).build_with(Provider::new("primary"));
        let said = built.unwrap_err().to_string();
        assert!(said.contains(".label is") && said.contains(label), "{said}");
    }
    let target = Target::same_host().bearer("k").label("team-a");
    Client::builder().primary(target).build_with(Provider::new("primary")).unwrap();
}

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn no_name_breaks_a_line_of_the_log_or_makes_it_long() {
    enable_all_tracing();
    let lines = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .finish();
    let listening = tracing::subscriber::set_default(subscriber);
    let (provider, log) = (down(), EventLog::default());
    let client = over(log.attach_to(Client::builder()), [&provider]);
    for model in [ODD.to_owned(), format!("{ODD}{}", "m".repeat(1 << 20))] {
        for _ in 0..6 {
            if let Err(error) = call(&client, of_model(&model)).await {
                assert!(!format!("{error} {error:?}").contains(['\u{1b}', '\n']));
            }
        }
    }
    drop(listening);
    let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(lines.contains("FAKE") && lines.contains("breaker opened"), "{lines}");
    for line in lines.lines() {
        assert!(
            !line.starts_with("FAKE") && !line.contains('\u{1b}') && line.len() < 2000,
            "{line}"
        );
    }
    let events = format!("{:?}", log.events());
    assert!(!events.contains(['\u{1b}', '\n']) && events.len() < 200_000);
}
