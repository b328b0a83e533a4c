use proptest::prelude::*;
use serde_json::{Value, json};

use super::{FieldChange, change_fields, field_json};

fn changed(body: &str, change: FieldChange) -> Option<String> {
    let changed = change_fields(body.as_bytes(), [&change])?;
    Some(String::from_utf8(changed.body.to_vec()).unwrap())
}

#[test]
fn a_removed_field_takes_one_comma_with_it_and_no_other_byte() {
    let drop = |body, field: &'static str| changed(body, FieldChange::drop(field));
    assert_eq!(drop(r#"{ "a" : 1 , "b" :2 }"#, "a").unwrap(), r#"{ "b" :2 }"#);
    assert_eq!(drop(r#"{ "a" : 1 , "b" :2 }"#, "b").unwrap(), r#"{ "a" : 1 }"#);
    assert_eq!(drop(r#"{ "a" : 1.0e2 }"#, "a").unwrap(), "{  }");
    assert_eq!(drop(r#"{"a":1,"b":2,"a":3}"#, "a").unwrap(), r#"{"b":2}"#);
    assert_eq!(drop(r#"{"a":{"b":1,"c":2}}"#, "a.b").unwrap(), r#"{"a":{"c":2}}"#);
    assert_eq!(drop(r#"{"a":1}"#, "b"), None);
    assert_eq!(drop(r#"{"a":1}"#, "a.b"), None, "not an object");
    assert_eq!(drop("[1]", "a"), None);
}

#[test]
fn a_renamed_field_keeps_its_value_and_gives_way_to_a_value_under_the_new_name() {
    let rename = |body| changed(body, FieldChange::rename("a", "b"));
    assert_eq!(rename(r#"{"x":0, "a" : 1e3}"#).unwrap(), r#"{"x":0, "b" : 1e3}"#);
    assert_eq!(rename(r#"{"a":1,"b":2}"#).unwrap(), r#"{"b":2}"#);
    assert_eq!(rename(r#"{"a":1,"b":null}"#).unwrap(), r#"{"b":1}"#);
    assert_eq!(rename(r#"{"b":2}"#), None);
    let nested = FieldChange::rename("o.a", "o.b");
    assert_eq!(changed(r#"{"o":{"a":1}}"#, nested).unwrap(), r#"{"o":{"b":1}}"#);
}

#[test]
fn a_set_field_is_replaced_in_place_or_appended() {
    let set = |body, field: &'static str| changed(body, FieldChange::set(field, &json!(1)));
    assert_eq!(set(r#"{"a": 2, "b":3}"#, "a").unwrap(), r#"{"a": 1, "b":3}"#);
    assert_eq!(set(r#"{"b":3 }"#, "a").unwrap(), r#"{"b":3,"a":1 }"#);
    assert_eq!(set("{}", "a.b").unwrap(), r#"{"a":{"b":1}}"#);
    assert_eq!(set(r#"{"a":{"c":2}}"#, "a.b").unwrap(), r#"{"a":{"c":2,"b":1}}"#);
    assert_eq!(set(r#"{"a":1}"#, "a"), None);
}

#[test]
fn a_field_is_removed_by_its_value() {
    let unless = |body| changed(body, FieldChange::drop_unless("t", "1"));
    assert_eq!(unless(r#"{"t":0.7}"#).unwrap(), "{}");
    assert_eq!((unless(r#"{"t":1}"#), unless(r#"{"t":1.0}"#)), (None, None));
    assert_eq!(changed(r#"{"t":null}"#, FieldChange::drop_null("t")).unwrap(), "{}");
    assert_eq!(changed(r#"{"t":false}"#, FieldChange::drop_null("t")), None);
}

#[test]
fn developers_become_systems_and_their_texts_stay() {
    let body = r#"{"messages":[{"role": "developer","content":"\"developer\""},{"role":"user","content":"developer"}]}"#;
    let expected = body.replace(r#""role": "developer""#, r#""role": "system""#);
    assert_eq!(changed(body, FieldChange::DeveloperAsSystem).unwrap(), expected);
    assert_eq!(changed(r#"{"messages":"x"}"#, FieldChange::DeveloperAsSystem), None);
}

#[test]
fn a_field_that_decides_what_is_asked_is_guarded() {
    for field in ["messages", "model", "stream", "tools", "input.x", "", "a..b", "a b", "a.b.c.d.e"]
    {
        assert!(FieldChange::drop(field).check().is_err(), "{field}");
        assert!(FieldChange::set(field, &json!(1)).check().is_err(), "{field}");
    }
    assert!(FieldChange::rename("a", "model").check().is_err());
    assert!(
        FieldChange::rename("a.b", "b").check().is_err()
            && FieldChange::rename("a", "a").check().is_err()
    );
    assert!(FieldChange::rename("max_tokens", "max_completion_tokens").check().is_ok());
    assert!(FieldChange::drop("generationConfig.seed").check().is_ok());
}

/// Any object, as text, with any white space between its parts.
fn any_object() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop_oneof![Just("a".to_owned()), Just("b".to_owned()), "[a-z\"\\\\:,{}é]{0,4}"];
    let value = prop_oneof![
        Just("null".to_owned()),
        any::<i32>().prop_map(|n| n.to_string()),
        Just("1.50e+2".to_owned()),
        "[a-z\"\\\\:,{}é ]{0,6}".prop_map(|text| Value::from(text).to_string()),
        Just(r#"{ "a" : [1 , {"b":null}] }"#.to_owned()),
    ];
    prop::collection::vec((name, value), 0..6)
}

fn text_of(fields: &[(String, String)], space: &str) -> String {
    let member = |(name, value): &(String, String)| {
        format!("{space}{}{space}:{space}{value}{space}", Value::from(name.as_str()))
    };
    format!("{space}{{{}}}", fields.iter().map(member).collect::<Vec<_>>().join(","))
}

proptest! {
    #[test]
    fn a_change_of_one_field_keeps_every_other_field_byte_for_byte(
        fields in any_object(), space in "[ \n]{0,2}",
    ) {
        let body = text_of(&fields, &space);
        for change in [FieldChange::drop("a"), FieldChange::set("a", &json!({"new": 1})), FieldChange::rename("a", "z")] {
            let Some(changed) = changed(&body, change.clone()) else { continue };
            let others = |body: &str| -> Vec<(String, String)> {
                crate::json_parts::object(body).unwrap().filter(|(name, _)| name != "a" && name != "z").map(|(name, value)| (name, value.to_owned())).collect()
            };
            prop_assert_eq!(others(&body), others(&changed), "{}", &changed);
            let now = field_json(changed.as_bytes(), "a");
            match &change {
                FieldChange::Set { .. } => prop_assert_eq!(now, Some(r#"{"new":1}"#)),
                _ => prop_assert_eq!(now, None),
            }
            if let FieldChange::Rename { .. } = &change {
                let before = field_json(body.as_bytes(), "a");
                prop_assert_eq!(field_json(changed.as_bytes(), "z"), before);
            }
            // What remains between the fields is a part of what was there.
            prop_assert!(changed.len() <= body.len() + 24);
        }
    }
}
