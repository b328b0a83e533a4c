use super::*;

fn read(body: &str) -> ErrorBody {
    ErrorBody::read(body.as_bytes())
}

fn codes(body: &str) -> Vec<String> {
    read(body).codes
}

#[test]
fn the_codes_of_every_shape_are_found_in_their_order() {
    for (body, expected) in [
        (r#"{"error":{"message":"m","type":"t","param":null,"code":"c"}}"#, &["c", "t"][..]),
        (r#"{"error":{"message":"m","type":"t","param":null,"code":null}}"#, &["t"]),
        (r#"{"error":{"message":"m","type":"BadRequestError","code":400}}"#, &["BadRequestError"]),
        (r#"{"object":"error","message":"m","type":"t","code":404}"#, &["t"]),
        (r#"{"object":"error","message":"m","type":"t","param":null,"code":"c"}"#, &["c", "t"]),
        (r#"{"error":{"code":502,"message":"m","metadata":{"error_type":"e"}}}"#, &["e"]),
        (
            r#"{"choices":[{"index":0},{"error":{"code":502,"metadata":{"error_type":"e"}}}]}"#,
            &["e"],
        ),
        (r#"{"type":"error","error":{"type":"t","message":"m"},"request_id":"r"}"#, &["t"]),
        (r#"{"type":"error","error":{"type":"t","details":{"error_code":"d"}}}"#, &["d", "t"]),
        (r#"[{"error":{"code":429,"status":"S","details":[{"reason":"R"}]}}]"#, &["R", "S"]),
        (
            r#"{"error":{"details":[{"violations":[{"quotaId":"Q"},{"quotaId":"P"}]}]}}"#,
            &["Q", "P"],
        ),
        (r#"{"error":{"code":"invalid_request","message":"m"}}"#, &["invalid_request"]),
        (r#"{"__type":"com.amazonaws#Name:http://x","message":"m"}"#, &["Name"]),
        (r#"{"code":"Name","message":"m"}"#, &["Name"]),
        (
            r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"c"}}}"#,
            &["c"],
        ),
        (r#"{"type":"error","code":"c","message":"m","param":null,"sequence_number":1}"#, &["c"]),
        (r#"{"type":"error","sequence_number":1,"error":{"type":"t","code":"c"}}"#, &["c", "t"]),
        (
            r#"{"error":{"code":"content_filter","innererror":{"code":"I"}}}"#,
            &["I", "content_filter"],
        ),
        (r#"{"error":{"error":{"type":"t"}}}"#, &["t"]),
        (r#"{"error":"m","error_type":"overloaded"}"#, &["overloaded", "m"]),
        (r#"{"detail":{"error":{"code":"c"}}}"#, &["c"]),
        (r#"{"success":false,"errors":[{"code":10000,"message":"m"}]}"#, &["10000"]),
        (r#"{"error":{"code":403,"metadata":{"reasons":["hate"]}}}"#, &["moderation"]),
        (
            r#"{"type":"message-end","delta":{"error":"slow_down","finish_reason":"ERROR"}}"#,
            &["slow_down"],
        ),
        (r#"{"error":{"code":"1113","type":"None"}}"#, &["1113"]),
        ("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"t\"}}\n\n", &["t"]),
        ("\n\n  \n{\"error\":{\"code\":\"c\"}}", &["c"]),
        ("{\"error\":{\"code\":\"c\"}}\n{\"error\":{\"code\":\"d\"}}", &["c"]),
        (r#"{"error":{"code":"c","error":{"type":"t"}}}"#, &["t", "c"]),
        (r#"{"error":{"type":"t"},"code":"outer"}"#, &["t", "outer"]),
        (
            r#"{"error":{"code":429,"errors":[{"reason":"rateLimitExceeded"}],"status":"RESOURCE_EXHAUSTED"}}"#,
            &["rateLimitExceeded", "RESOURCE_EXHAUSTED"],
        ),
        (r#"{"code":"resource-exhausted","error":"a b"}"#, &["resource-exhausted", "a b"]),
        (r#"{"error":null,"errors":[{"code":"c"}]}"#, &["c"]),
        ("429 Too Many Requests", &[]),
        ("<html>502</html>", &[]),
        ("null", &[]),
        ("[]", &[]),
        ("{}", &[]),
        ("", &[]),
    ] {
        assert_eq!(codes(body), expected, "{body}");
    }
}

#[test]
fn a_number_or_its_spelling_is_the_status_it_equals() {
    for (body, status) in [
        (r#"{"error":{"code":429}}"#, Some(429)),
        (r#"{"error":{"code":"429"}}"#, Some(429)),
        (r#"{"statusCode":403,"message":"m"}"#, Some(403)),
        (r#"{"title":"t","status":503}"#, Some(503)),
        (r#"{"error":{"code":200}}"#, None),
        (r#"{"error":{"code":-429}}"#, None),
        (r#"{"error":{"code":70000}}"#, None),
        (r#"{"error":{"code":429.5}}"#, None),
    ] {
        assert_eq!(read(body).status(), status, "{body}");
    }
    assert_eq!(read(r#"{"error":{"code":"429"}}"#).code().unwrap().as_str(), "429");
}

#[test]
fn the_message_is_found_in_every_shape() {
    for body in [
        r#"{"error":{"message":"a b"}}"#,
        r#"{"message":"a b"}"#,
        r#"{"error":"a b"}"#,
        r#"{"detail":"a b"}"#,
        r#"{"detail":[{"type":"missing","loc":["body"],"msg":"a b"}]}"#,
        r#"{"errors":["a b"]}"#,
        "a b",
    ] {
        assert_eq!(read(body).message(), "a b", "{body}");
    }
}

#[test]
fn the_delay_of_google_is_read() {
    let body = |delay: &str| {
        format!(
            r#"{{"error":{{"details":[{{"reason":"R"}},{{"@type":"RetryInfo","retryDelay":"{delay}"}}]}}}}"#
        )
    };
    assert_eq!(read(&body("38s")).delay(), Some(38.0));
    assert_eq!(read(&body("45.837906927s")).delay(), Some(45.837906927));
    for none in ["", "38", "-38s", "s", "38s!"] {
        assert_eq!(read(&body(none)).delay(), None, "{none}");
    }
}

#[test]
fn a_word_of_a_text_is_looked_up_and_kept_only_if_it_is_spelled_as_a_code() {
    let kept = |body: &str| read(body).code().map(|code| code.as_str().to_owned());
    for body in [r#"{"error":"PARCEL"}"#, r#"{"error":"sk-abc123"}"#, r#"{"error":"gsk_1a2B"}"#] {
        assert_eq!((codes(body).len(), kept(body)), (1, None), "{body}");
    }
    let slow = Some("slow_down".to_owned());
    assert_eq!(kept(r#"{"error":"slow_down"}"#), slow);
    assert_eq!(kept(r#"{"error":"parcel","code":"slow_down"}"#), slow);
    assert_eq!(kept(r#"{"error":{"code":"SlowDown"}}"#), Some("SlowDown".into()));
}

#[test]
fn json_that_was_cut_still_gives_its_codes() {
    let cut = r#"{"type":"error","error":{"type":"overloaded_error","message":"Over"#;
    assert_eq!(codes(cut), ["overloaded_error"]);
    let cut =
        r#"{"error":{"code":529,"type":"t","message":"it said {\"code\":\"insufficient_quota\"#;
    assert_eq!((codes(cut), read(cut).status()), (vec!["t".to_owned()], Some(529)));
    assert_eq!(codes(r#"{"error":{"code":"#), [""; 0]);
    assert_eq!(codes(r#"a page with "code": "slow_down" in it"#), [""; 0]);
}

#[test]
fn only_an_error_is_one_inside_a_success() {
    for body in [
        r#"{"error":{"code":"c"}}"#,
        r#"{"error":"text"}"#,
        r#"{"type":"error","message":"m"}"#,
        r#"{"object":"error","message":"m"}"#,
        r#"{"choices":[{"error":{"code":1}}]}"#,
        r#"{"response":{"error":{"code":"c"}}}"#,
        r#"{"object":"response","status":"failed","error":null}"#,
        r#"{"type":"response.failed","response":{"object":"response","status":"failed"}}"#,
        r#"{"choices":[{"error":null},{"error":{"code":1}}]}"#,
        r#"{"type":"message-end","delta":{"error":"text"}}"#,
        r#"[{"candidates":[]},{"error":{"code":503}}]"#,
    ] {
        assert!(in_success(body.as_bytes()).is_some(), "{body}");
    }
    for body in [
        r#"{"choices":[{"message":{"content":"the error is {\"error\":1}"}}]}"#,
        r#"{"error":null,"status":"completed"}"#,
        r#"{"error":{},"object":"fine_tuning.job"}"#,
        r#"{"error":{"code":null,"message":null}}"#,
        r#"{"error":"","done":true}"#,
        r#"{"object":"batch","status":"failed","errors":{"data":[{"code":"c"}]}}"#,
        r#"{"detail":{"level":"high"}}"#,
        r#"{"choices":[{"content_filter_results":{"error":{"code":"content_filter_error"}}}]}"#,
        "[]",
        "error",
        "",
    ] {
        assert!(in_success(body.as_bytes()).is_none(), "{body}");
    }
}

#[test]
fn what_is_too_long_or_too_many_is_left_out() {
    let long = format!(r#"{{"error":{{"code":"{}","type":"t"}}}}"#, "c".repeat(LONGEST + 1));
    assert_eq!(codes(&long), ["t"]);
    let many = vec![r#"{"reason":"R"}"#; 99].join(",");
    assert_eq!(codes(&format!(r#"{{"error":{{"details":[{many}]}}}}"#)).len(), MOST);
    let deep = format!("{}{}", r#"{"error":"#.repeat(100), "}".repeat(100));
    assert_eq!(codes(&deep), [""; 0]);
}

proptest::proptest! {
    #[test]
    fn no_body_panics(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        ErrorBody::read(&body);
        in_success(&body);
    }

    #[test]
    fn no_cut_of_a_body_panics(at in 0..200_usize) {
        let body = r#"[{"error":{"code":"cä","status":"S","details":[{"retryDelay":"1s","violations":[{"quotaId":"Q"}]}]}}]"#;
        ErrorBody::read(&body.as_bytes()[..at.min(body.len())]);
    }
}
