use http::{HeaderMap, HeaderName, HeaderValue, Response};

use super::*;
use crate::{Body, attempt_log::Degradation};

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let field = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    fields.iter().map(field).collect()
}

#[test]
fn the_headers_of_a_gateway_say_where_an_answer_is_from() {
    fn served(fields: &[(&'static str, &'static str)]) -> String {
        ServedBy::from_headers(&headers(fields)).to_string()
    }
    let by = ("evenkeel-served-by", "small");
    assert_eq!(served(&[]), "first target");
    assert_eq!(served(&[("age", "7")]), "first target", "an age alone may be a proxy's");
    assert_eq!(served(&[by, ("age", "7")]), "fallback small");
    assert_eq!(
        served(&[by, ("age", "7"), ("evenkeel-stored", "stale")]),
        "stored answer, stale, 7 s old"
    );
    assert_eq!(
        served(&[by, ("age", "x"), ("evenkeel-stored", "fresh")]),
        "stored answer, fresh, 0 s old"
    );
    assert_eq!(served(&[by, ("evenkeel-canned", "true")]), "canned reply");
}

#[test]
fn a_name_that_no_fallback_can_have_is_not_read() {
    let mut headers = HeaderMap::new();
    let long = HeaderValue::from_str(&"x".repeat(65)).expect("a valid value");
    headers.insert("evenkeel-served-by", long);
    assert_eq!(ServedBy::from_headers(&headers).name(), None);
    headers.insert("evenkeel-served-by", HeaderValue::from_bytes(b"\xff").expect("a valid value"));
    assert_eq!(ServedBy::from_headers(&headers).name(), None);
}

#[test]
fn only_an_answer_that_is_less_than_what_was_asked_for_is_degraded() {
    let age = Duration::from_secs(1);
    let name: Arc<str> = "small".into();
    let table = [
        (ServedBy::FirstTarget { name: None }, [false, true, false, false]),
        (ServedBy::Fallback { name: name.clone() }, [true, true, false, false]),
        (ServedBy::Stored { age, stale: false }, [false, false, true, false]),
        (ServedBy::Stored { age, stale: true }, [true, false, true, false]),
        (ServedBy::Canned { name: Some(name) }, [true, false, false, true]),
    ];
    for (served, is) in table {
        let found =
            [served.is_degraded(), served.is_target(), served.is_stored(), served.is_canned()];
        assert_eq!(found, is, "{served}");
    }
}

#[test]
fn what_this_process_knows_comes_before_the_headers_of_a_gateway_below() {
    let mut response: Response<Body> = Response::default();
    response.headers_mut().insert("evenkeel-canned", HeaderValue::from_static("true"));
    let served =
        |response: &Response<Body>| ServedBy::of_head(response.headers(), response.extensions());
    assert_eq!(served(&response).to_string(), "canned reply");
    let attempt_log = AttemptLog::default();
    attempt_log.answered_by("gateway".into(), None);
    response.extensions_mut().insert(attempt_log.clone());
    assert_eq!(served(&response).to_string(), "canned reply", "the gateway was the first target");
    Hit::new(Duration::from_secs(2), false).mark(&mut response);
    assert_eq!(served(&response).to_string(), "stored answer, fresh, 2 s old");
    response.extensions_mut().remove::<Hit>();
    attempt_log.answered_by("small".into(), Some(Degradation::Resumed));
    assert_eq!(served(&response).to_string(), "fallback small");
}
