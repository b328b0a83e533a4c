use super::*;

#[test]
fn what_is_not_touched_keeps_every_byte() {
    let body =
        r#"{ "a" : 12345678901234567890123 , "b":{"c":1.10, "d" : "\u00e9"},"a2":[ 1e400 ,2]}"#;
    let mut node = LazyJson::read(body.as_bytes()).unwrap();
    assert_eq!(node.json(), body, "nobody looked");
    node.set("model", LazyJson::text("m\"1"));
    assert_eq!(
        node.json(),
        r#"{"a":12345678901234567890123,"b":{"c":1.10, "d" : "\u00e9"},"a2":[ 1e400 ,2],"model":"m\"1"}"#
    );
}

#[test]
fn a_name_that_comes_twice_is_read_as_its_last_and_set_once() {
    let mut node = LazyJson::read(br#"{"a":1,"b":2,"a":3}"#).unwrap();
    assert_eq!(node.get("a").unwrap().number(), Some(3));
    node.set("a", LazyJson::of("4"));
    assert_eq!(node.json(), r#"{"a":4,"b":2}"#);
    assert!(node.remove("a") && !node.remove("a"));
    assert_eq!(node.json(), r#"{"b":2}"#);
}

#[test]
fn what_is_no_object_has_no_field_and_no_bytes_make_it_panic() {
    for body in ["[1]", "1", "\"x\"", "null"] {
        let mut node = LazyJson::read(body.as_bytes()).unwrap();
        assert!(node.get("a").is_none() && node.fields().is_none() && !node.remove("a"));
        node.set("a", LazyJson::of("1"));
        assert_eq!(node.json(), body);
    }
    assert!(LazyJson::read(b"{").is_none() && LazyJson::read(b"\xff").is_none());
}

#[test]
fn what_was_made_here_can_be_changed_too() {
    let mut node = LazyJson::of(String::from(r#"{"a":[{"b":1}]}"#));
    node.field("a").unwrap().items().unwrap()[0].set("b", LazyJson::of("2"));
    node.field("a").unwrap().items().unwrap().push(LazyJson::text("x"));
    assert_eq!(node.json(), r#"{"a":[{"b":2},"x"]}"#);
    assert_eq!(node.get("a").unwrap().to_items().len(), 2);
}
