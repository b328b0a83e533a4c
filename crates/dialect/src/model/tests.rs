use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn edited(body: &str) -> String {
    let out = with_model(&Bytes::copy_from_slice(body.as_bytes()), "new/\"one\"");
    String::from_utf8(out.to_vec()).unwrap()
}

#[test]
fn the_model_is_rewritten_in_place_and_the_rest_stays_byte_for_byte() {
    for (before, after) in [
        (r#"{"model":"old","messages":[]}"#, r#"{"model":"new/\"one\"","messages":[]}"#),
        (
            r#" { "a" : 1.0 , "model" :  "old" , "b": [ ] } "#,
            r#" { "a" : 1.0 , "model" :  "new/\"one\"" , "b": [ ] } "#,
        ),
        (r#"{"model":"o\"l\\d"}"#, r#"{"model":"new/\"one\""}"#),
        (r#"{"model":null}"#, r#"{"model":"new/\"one\""}"#),
        (r#"{"mo\u0064el":"old"}"#, r#"{"mo\u0064el":"new/\"one\""}"#),
        (
            r#"{"model":"a","x":1,"model":"b"}"#,
            r#"{"model":"new/\"one\"","x":1,"model":"new/\"one\""}"#,
        ),
        (r#"{"model":{"model":"a"}}"#, r#"{"model":"new/\"one\""}"#),
    ] {
        assert_eq!(edited(before), after);
    }
}

#[test]
fn only_the_model_at_the_top_is_the_model() {
    let nested = r#"{"metadata":{"model":"x"},"messages":[{"content":"\"model\":\"y\"","model":"z"}],"model":"old"}"#;
    assert_eq!(edited(nested), nested.replace("\"old\"", r#""new/\"one\"""#));
}

#[test]
fn a_model_is_put_in_where_there_is_none() {
    assert_eq!(edited("{}"), r#"{"model":"new/\"one\""}"#);
    assert_eq!(edited(" {\n} "), " {\"model\":\"new/\\\"one\\\"\"\n} ");
    assert_eq!(edited(r#"{"a":{"model":"x"}}"#), r#"{"model":"new/\"one\"","a":{"model":"x"}}"#);
}

#[test]
fn what_is_no_object_stays_as_it_is() {
    for body in [
        "",
        "[]",
        "null",
        r#""model""#,
        r#"[{"model":"a"}]"#,
        r#"{"model":"a""#,
        r#"{"model":"a"} x"#,
        "<p>",
    ] {
        assert_eq!(edited(body), body);
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(Value::from("\"model\":\"x\"")),
    ];
    let key = prop_oneof![Just("model".to_owned()), ".{0,4}"];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from);
        let fields = prop::collection::vec((key.clone(), inner), 0..4);
        prop_oneof![list, fields.prop_map(|fields| Value::Object(fields.into_iter().collect()))]
    })
}

proptest! {
    #[test]
    fn nothing_but_the_model_changes(before in values(), pretty in any::<bool>(), model in ".{0,12}") {
        let text = if pretty { serde_json::to_vec_pretty(&before) } else { serde_json::to_vec(&before) };
        let body = Bytes::from(text.unwrap());
        let out = with_model(&body, &model);
        let mut after = before.clone();
        match &mut after {
            Value::Object(fields) => {
                fields.insert("model".into(), model.clone().into());
                prop_assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), after);
                // The bytes before and after the changed value stay.
                let new = serde_json::to_string(&model).unwrap();
                let same = body.iter().zip(&out).take_while(|(a, b)| a == b).count();
                let tail = body.iter().rev().zip(out.iter().rev()).take_while(|(a, b)| a == b).count();
                prop_assert!(out.len() - same.min(out.len() - tail) - tail <= new.len() + "\"model\":,".len());
            }
            _ => prop_assert_eq!(out, body),
        }
    }

    #[test]
    fn no_bytes_make_it_panic(body in any::<Vec<u8>>()) {
        let body = Bytes::from(body);
        prop_assert_eq!(with_model(&body, "m"), body);
    }
}
