use proptest::prelude::*;

use super::{RejectedField, RejectedScope};
use crate::request_fields::FieldChange;

fn names(body: &str) -> Vec<&'static str> {
    RejectedField::read(body.as_bytes()).iter().map(RejectedField::name).collect()
}

#[test]
fn the_field_is_found_in_the_errors_of_the_providers() {
    let cases: [(&str, &[&str]); 14] = [
        (
            r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}"#,
            &["max_tokens"],
        ),
        (
            r#"{"error":{"message":"Unrecognized request argument supplied: reasoning_effort","type":"invalid_request_error","param":null,"code":null}}"#,
            &["reasoning_effort"],
        ),
        (
            r#"{"error":{"message":"Unrecognized request arguments supplied: store, metadata","param":null}}"#,
            &["store", "metadata"],
        ),
        (
            r#"{"error":{"message":"Unknown parameter: 'verbosity'.","param":"verbosity","code":"unknown_parameter"}}"#,
            &["verbosity"],
        ),
        (
            r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","max_completion_tokens"],"msg":"Extra inputs are not permitted","input":9}]},"type":"invalid_request_error"}"#,
            &["max_completion_tokens"],
        ),
        (
            r#"{"detail":[{"type":"extra_forbidden","loc":["body","store"],"msg":"Extra inputs are not permitted"},{"type":"extra_forbidden","loc":["body","user"],"msg":"Extra inputs are not permitted"}]}"#,
            &["store", "user"],
        ),
        (
            r#"[{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \"metadata\": Cannot find field.\nInvalid JSON payload received. Unknown name \"store\": Cannot find field.","status":"INVALID_ARGUMENT"}}]"#,
            &["metadata", "store"],
        ),
        (
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"store: Extra inputs are not permitted"}}"#,
            &["store"],
        ),
        (
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"`temperature` is deprecated for this model."}}"#,
            &["temperature"],
        ),
        (
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"`temperature` and `top_p` cannot both be specified for this model. Please use only one."}}"#,
            &["top_p"],
        ),
        (
            r#"{"error":{"message":"property 'logit_bias' is unsupported","type":"invalid_request_error"}}"#,
            &["logit_bias"],
        ),
        (
            r#"{"code":"Client specified an invalid argument","error":"Argument not supported on this model: presencePenalty"}"#,
            &["presence_penalty"],
        ),
        (
            r#"{"object":"error","message":"[{'type': 'extra_forbidden', 'loc': ('body', 'store'), 'msg': 'Extra inputs are not permitted'}]","code":400}"#,
            &["store"],
        ),
        ("json: unknown field \"seed\"", &["seed"]),
    ];
    for (body, expected) in cases {
        assert_eq!(names(body), expected, "{body}");
    }
}

#[test]
fn a_wrong_value_and_a_field_that_decides_what_is_asked_are_not_left_out() {
    for body in [
        r#"{"error":{"message":"Invalid value for 'temperature': must be at most 2","param":"temperature","code":"invalid_value"}}"#,
        r#"{"error":{"message":"max_tokens is too large: 9. This model supports at most 5","param":"max_tokens","code":"invalid_value"}}"#,
        r#"{"error":{"message":"Unsupported parameter: 'tools' is not supported with this model.","param":"tools","code":"unsupported_parameter"}}"#,
        r#"{"detail":[{"type":"extra_forbidden","loc":["body","messages",0,"user","name"],"msg":"Extra inputs are not permitted"}]}"#,
        r#"{"detail":[{"type":"missing","loc":["body","store"],"msg":"Field required"}]}"#,
        r#"{"error":{"message":"'response_format' is not supported with this model"}}"#,
        r#"{"error":{"message":"Unknown name \"seed\" at 'generation_config': Cannot find field."}}"#,
        "",
    ] {
        assert!(names(body).is_empty(), "{body}");
    }
}

#[test]
fn a_value_that_is_not_supported_is_no_field_that_is_not() {
    let body = r#"{"error":{"message":"Unsupported value: 'temperature' does not support 0.5 with this model. Only the default (1) value is supported.","param":"temperature","code":"unsupported_value"}}"#;
    let [field] = &RejectedField::read(body.as_bytes())[..] else { panic!("one field") };
    assert_eq!((field.name(), field.scope()), ("temperature", RejectedScope::Value));
    assert_eq!(field.change(), FieldChange::drop("temperature"));
}

#[test]
fn a_limit_on_the_answer_is_renamed_and_never_left_out() {
    let body = r#"{"detail":[{"type":"extra_forbidden","loc":["body","max_completion_tokens"]}]}"#;
    let [field] = &RejectedField::read(body.as_bytes())[..] else { panic!("one field") };
    assert_eq!(field.change(), FieldChange::rename("max_completion_tokens", "max_tokens"));
}

proptest! {
    #[test]
    fn any_body_is_read_without_a_panic_and_names_few_fields(
        body in "(unknown name |property |'|\"|`|[a-zé{}\\[\\]:,. _]| is unsupported| does not support |store|max_tokens){0,40}",
    ) {
        prop_assert!(RejectedField::read(body.as_bytes()).len() <= super::MOST);
    }
}
