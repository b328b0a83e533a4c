//! Options that are wrong, and headers.

use std::error::Error as _;

use evenkeel::ConfigError;
use http::{HeaderMap, HeaderValue};

use super::*;

fn refused(options: CallOptions) -> String {
    options.check().unwrap_err().to_string()
}

#[test]
fn a_wrong_value_is_refused_with_field_value_and_what_is_allowed() {
    let new = CallOptions::new;
    assert_eq!(refused(new().deadline(ms(0))), "deadline is 0ns; allowed is longer than zero");
    assert_eq!(
        refused(new().affinity("")),
        "affinity is \"\"; allowed is a key of at least one byte"
    );
    assert_eq!(refused(new().tenant(" ")), "tenant is \"\"; allowed is a name that is not blank");
    let error = refused(new().fallbacks([Fallback::target(Target::new("nowhere"))]));
    assert!(error.starts_with("fallbacks[0].base_url is"), "{error}");
    let long = "m".repeat(129);
    for wrong in ["", "a b", "../a", "a/./b", "ä", "a?b", "a,b", &long] {
        let error = refused(new().fallback_models(["good", wrong]));
        assert!(error.starts_with("fallback_models is \"") && error.contains("1 to 8"), "{error}");
    }
    assert!(refused(new().fallback_models([""; 0])).contains("no model"));
    assert!(
        refused(new().fallback_models(std::iter::repeat("m"))).contains("more models"),
        "it is bounded"
    );
    assert!(new().fallback_models(["m"; 8]).check().is_ok() && full().check().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_wrong_value_is_not_sent_and_says_why() {
    let (client, log) = recording();
    let wrong = || CallOptions::new().deadline(ms(0));
    let explicit = client.call(chat(false)).options(wrong()).await.unwrap_err();
    let inside = client.send(with_extension(chat(false), wrong())).await.unwrap_err();
    let scoped = wrong().scope(client.send(chat(false))).await.unwrap_err();
    for error in [explicit, inside, scoped] {
        let source = error.source().and_then(|it| it.downcast_ref::<ConfigError>());
        assert_eq!(source.map(ConfigError::field), Some("deadline"));
        assert!(
            error.to_string().contains("deadline is 0ns; allowed is longer than zero"),
            "{error}"
        );
        assert!(!error.is_timeout() && !error.is_refused());
    }
    assert_eq!(log.len(), 0);
    let call = client.call(chat(false)).options(wrong());
    assert!(!call.availability().is_clear() && call.routes().is_empty());
}

#[test]
fn nothing_of_a_tenant_or_a_key_is_shown() {
    let options = full().tenant("the-secret-tenant").affinity("the-secret-key");
    assert!(!format!("{options:?}").contains("secret"));
    let (client, _) = recording();
    let request = http::Request::post("http://a.example/?key=secret").body("secret").unwrap();
    assert!(!format!("{:?}", client.call(request).options(options)).contains("secret"));
}

fn read(pairs: &[(&'static str, &str)]) -> Result<CallOptions, ConfigError> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    CallOptions::from_headers(&headers)
}

fn refusal(name: &'static str, value: &str) -> String {
    let error = read(&[(name, value)]).unwrap_err();
    assert_eq!(error.field(), name);
    error.to_string()
}

#[tokio::test(start_paused = true)]
async fn every_field_has_a_header() {
    let (client, log) = recording();
    let options = read(&[
        ("evenkeel-deadline-ms", " 7000 "),
        ("evenkeel-priority", "batch"),
        ("evenkeel-fallbacks", "b, org/c:free"),
        ("evenkeel-fallbacks", "d@1"),
        ("evenkeel-affinity", "talk-7"),
        ("evenkeel-commit", "complete"),
        ("evenkeel-tenant", "a tenant"),
        ("evenkeel-mid-stream-failure", "continue"),
        ("evenkeel-dialect", "openai-chat"),
        ("evenkeel-other", "ignored"),
    ]);
    let start = Instant::now();
    ask(client.call(chat(false)).options(options.unwrap()).send()).await;
    let mut found = values(&log.last());
    assert!(!found[4], "a tenant in a header is one of its caller");
    assert_eq!(log.last().extensions().get(), Some(&Tenant::of_caller("a tenant")));
    found[4] = true;
    assert_eq!((found, deadline(&log, start)), ([true; 7], secs(7)));
    ask(client.call(chat(false)).options(read(&[]).unwrap()).send()).await;
    assert_eq!(values(&log.last()), [false; 7]);
    ask(client.call(chat(false)).options(read(&[("evenkeel-sticky", "talk-7")]).unwrap()).send())
        .await;
    assert_eq!(
        log.last().extensions().get(),
        Some(&AffinityKey::new("talk-7")),
        "the older spelling"
    );
}

#[test]
fn a_wrong_header_is_refused_by_name_with_what_is_allowed() {
    for wrong in ["", "0", "-1", "1.5", "8s", "x", "99999999999999999999"] {
        assert!(
            refusal("evenkeel-deadline-ms", wrong)
                .ends_with("a whole number of milliseconds, 1 or more")
        );
    }
    assert_eq!(
        refusal("evenkeel-priority", "high"),
        "evenkeel-priority is \"high\"; allowed is interactive or batch"
    );
    assert!(refusal("evenkeel-commit", "Complete").ends_with("first-content or complete"));
    assert!(refusal("evenkeel-mid-stream-failure", "resume").ends_with("error or continue"));
    assert!(refusal("evenkeel-dialect", "openai").ends_with("or anthropic or gemini or ollama"));
    let (nine, long) = (["m"; 9].join(","), "m".repeat(129));
    for wrong in ["", ",", "a,", "a,,b", "a b", "../a", "a/../b", "ä", "a\"", "a?b", &nine, &long]
    {
        assert!(refusal("evenkeel-fallbacks", wrong).contains("allowed is"), "{wrong}");
    }
    for name in ["evenkeel-affinity", "evenkeel-sticky", "evenkeel-tenant"] {
        for wrong in ["", &"k".repeat(257)] {
            let error = refusal(name, wrong);
            assert!(error.contains("bytes long") && !error.contains("kkk"), "{error}");
        }
        assert!(refusal(name, "ä").contains("not ASCII"));
    }
    let twice = |a, b| read(&[(a, "complete"), (b, "complete")]).unwrap_err().to_string();
    assert!(twice("evenkeel-commit", "evenkeel-commit").ends_with("one value, once"));
    assert!(twice("evenkeel-affinity", "evenkeel-sticky").contains("evenkeel-affinity"));
}
