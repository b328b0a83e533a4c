//! The key of a target in a file.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::Router;
use http::{HeaderMap, StatusCode};

use super::support::{QUICK, TempConfig, client, gateway_with, setup, upstream};

/// An upstream that accepts one value of one header.
async fn accepting(header: &'static str, value: &Arc<Mutex<&'static str>>) -> String {
    let valid = value.clone();
    let answer = move |headers: HeaderMap| async move {
        let valid = *valid.lock().unwrap();
        let known = headers.get(header).is_some_and(|sent| sent == valid);
        let status = if known { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        (status, "{}")
    };
    upstream(Router::new().fallback(answer)).await
}

fn target(url: &str, file: &TempConfig, rest: &str) -> String {
    let path = file.path();
    format!(
        "[[target]]\nname = \"a\"\nbase_url = \"{url}/v1\"\nkey_file = {path:?}\n{rest}\n{QUICK}"
    )
}

#[tokio::test]
async fn a_key_in_a_file_is_read_again_after_the_provider_has_rejected_it() {
    for (header, scheme, rest) in
        [("authorization", "Bearer ", ""), ("x-api-key", "", "key_header = \"x-api-key\"")]
    {
        let file = TempConfig::new("first\n");
        let keys = ["first", "second"].map(|key| &*format!("{scheme}{key}").leak());
        let valid = Arc::new(Mutex::new(keys[0]));
        let url = accepting(header, &valid).await;
        let gateway = gateway_with(&target(&url, &file, rest), &[]).await;
        let status = || async {
            let call = client().get(gateway.at("/v1/models")).bearer_auth("of-the-caller");
            call.send().await.unwrap().status().as_u16()
        };
        assert_eq!(status().await, 200, "{header}");
        std::fs::write(file.path(), "second").unwrap();
        *valid.lock().unwrap() = keys[1];
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert_eq!(status().await, 200, "{header}");
        let health = gateway.health().await.to_string();
        assert!(!health.contains("first") && !health.contains("second"), "{health}");
    }
}

#[test]
fn a_file_without_a_key_is_an_error_at_start_that_does_not_show_it() {
    for text in ["", " \n", "two\nlines", "schlüssel"] {
        let file = TempConfig::new(text);
        let config = TempConfig::new(&target("http://127.0.0.1:1", &file, ""));
        let line = setup(&["--config", config.path()], None).err().unwrap();
        assert!(line.contains("key_file: cannot be used"), "{line}");
        assert!(!line.contains("two") && !line.contains(file.path()), "{line}");
    }
}
