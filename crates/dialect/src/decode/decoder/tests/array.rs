use proptest::prelude::*;
use serde_json::Value;

use super::super::*;

/// The elements, and whether the array was closed; `None` for one that was too large.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Option<(Vec<String>, bool)> {
    let (mut decoder, mut elements) = (Decoder::new(StreamFraming::SseOrArray), Vec::new());
    for piece in pieces {
        let each = |event: RawEvent<'_>| {
            elements.push(String::from_utf8_lossy(event.data).into_owned());
        };
        decoder.feed(piece, each).ok()?;
    }
    Some((elements, decoder.is_closed()))
}

fn elements(text: &str) -> (Vec<String>, bool) {
    decode([text.as_bytes()]).unwrap()
}

fn owned<const N: usize>(elements: [&str; N], closed: bool) -> (Vec<String>, bool) {
    (elements.map(String::from).to_vec(), closed)
}

#[test]
fn every_element_is_an_event() {
    for (text, expected) in [
        ("[]", owned([], true)),
        ("  [ { } \n,\r\n{\"a\":[1,{}]}\n] \n", owned(["{ }", "{\"a\":[1,{}]}"], true)),
        (r#"[{"a":"]},{\"["},{"b":"\\"}]"#, owned([r#"{"a":"]},{\"["}"#, r#"{"b":"\\"}"#], true)),
        (r#"[1, "a,]\"" ,null,[2],[]]"#, owned(["1", r#""a,]\"" "#, "null", "[2]", "[]"], true)),
        ("[{}] {\"after\":1} [{}]", owned(["{}"], true)),
        // A truncated element is not an element.
        ("[{\"a\":1},{\"b\"", owned(["{\"a\":1}"], false)),
        ("[{\"a\":\"", owned([], false)),
        ("[{},", owned(["{}"], false)),
        ("", owned([], false)),
        ("[bad}{,{}]", owned(["bad}{,{}]"], false)),
    ] {
        assert_eq!(elements(text), expected, "{text}");
    }
}

#[test]
fn an_element_is_told_with_its_last_byte() {
    assert_eq!(elements("[{\"a\":1}"), owned(["{\"a\":1}"], false));
}

#[test]
fn an_element_in_one_piece_is_lent_not_copied() {
    let bytes = b"[{\"a\":1},\n{}]";
    let within = bytes.as_ptr_range();
    let mut lent = 0;
    let fed = Decoder::new(StreamFraming::SseOrArray).feed(bytes, |event| {
        lent += usize::from(within.contains(&event.data.as_ptr()));
    });
    assert_eq!((fed, lent), (Ok(()), 2));
}

#[test]
fn an_element_without_end_is_given_up_before_it_fills_the_memory() {
    for open in ["[", "[[", "[\"", "[{\"a\":\""] {
        let mut decoder = Decoder::new(StreamFraming::SseOrArray);
        decoder.feed(open.as_bytes(), |_| panic!("no element yet")).unwrap();
        let piece = vec![b'x'; 1024 * 1024];
        let fed = |decoder: &mut Decoder| decoder.feed(&piece, |_| panic!("no element yet"));
        let good = (0..64).take_while(|_| fed(&mut decoder).is_ok()).count();
        assert!((15..17).contains(&good), "{good} pieces of 1 MiB were taken");
        assert_eq!((decoder.held.capacity(), fed(&mut decoder)), (0, Err(TooLarge)));
    }
    // Without an element, nothing is buffered.
    let mut decoder = Decoder::new(StreamFraming::SseOrArray);
    decoder.feed(b"[", |_| {}).unwrap();
    (0..64).for_each(|_| decoder.feed(&vec![b' '; 1024 * 1024], |_| {}).unwrap());
    assert_eq!(decoder.held.capacity(), 0);
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(Value::from),
        r#"[\]\[{}",\\a ]{0,6}"#.prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from);
        let fields = prop::collection::vec((r#"[a"\\{]{0,2}"#, inner), 0..3);
        prop_oneof![list, fields.prop_map(|fields| Value::Object(fields.into_iter().collect()))]
    })
}

fn split<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect()
}

proptest! {
    #[test]
    fn the_elements_of_any_array_are_those_that_json_has(
        list in prop::collection::vec(values(), 0..5),
        pretty in any::<bool>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..9),
    ) {
        let text = if pretty { serde_json::to_vec_pretty(&list) } else { serde_json::to_vec(&list) };
        let text = text.unwrap();
        let (elements, closed) = decode(split(&text, &cuts)).unwrap();
        let read: Vec<Value> = elements.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        prop_assert_eq!((read, closed), (list, true));
    }

    #[test]
    fn any_split_of_any_bytes_gives_the_same_elements(
        text in r#"[\[\]{}",\\a \n1]{0,40}"#,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..9),
    ) {
        let bytes = format!("[{text}").into_bytes();
        let whole = decode([bytes.as_slice()]);
        prop_assert_eq!(decode(split(&bytes, &cuts)), whole.clone());
        prop_assert_eq!(decode(bytes.chunks(1)), whole);
    }
}
