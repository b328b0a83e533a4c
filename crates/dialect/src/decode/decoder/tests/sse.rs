use proptest::prelude::*;

use super::super::*;

type Events = Vec<(String, String)>;

/// Feeds the pieces, ends the bytes, and returns the events; `None` for one that was too large.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Option<Events> {
    let mut decoder = Decoder::new(StreamFraming::Sse);
    let mut events = Events::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut each = |event: RawEvent<'_>| events.push((text(event.name), text(event.data)));
    for piece in pieces {
        decoder.feed(piece, &mut each).ok()?;
    }
    decoder.finish(&mut each);
    Some(events)
}

/// A simple reference: the whole text at once, line by line.
fn plainly(bytes: &[u8]) -> Events {
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes));
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (mut events, mut name, mut data) = (Events::new(), String::new(), None::<String>);
    for line in text.split('\n').chain([""]) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() => {
                let name = std::mem::take(&mut name);
                events.extend(data.take().map(|data| (name, data)));
            }
            "data" => {
                data = Some(data.map_or(value.into(), |before| format!("{before}\n{value}")));
            }
            "event" => name = value.into(),
            _ => {}
        }
    }
    events
}

fn data(of: &[u8]) -> Vec<String> {
    decode([of]).unwrap().into_iter().map(|(_, data)| data).collect()
}

#[test]
fn lines_end_in_any_of_the_three_ways() {
    for end in ["\n", "\r", "\r\n"] {
        let text = ["event: a", "data: 1", "", "data: 2", "", ""].join(end);
        let events = decode([text.as_bytes()]).unwrap();
        assert_eq!(events, [("a".into(), "1".into()), (String::new(), "2".into())], "{end:?}");
    }
}

#[test]
fn a_line_feed_after_a_carriage_return_belongs_to_it_across_pieces() {
    let pieces: [&[u8]; 5] = [b"data: 1\r", b"", b"\ndata: 2\r", b"\n\r", b"\ndata: 3\n\n"];
    let events = decode(pieces).unwrap();
    assert_eq!(events, [(String::new(), "1\n2".into()), (String::new(), "3".into())]);
}

#[test]
fn one_space_before_a_value_is_dropped_and_no_more() {
    assert_eq!(data(b"data:a\n\ndata: a\n\ndata:  a\n\ndata:\ta\n\n"), ["a", "a", " a", "\ta"]);
}

#[test]
fn data_lines_are_joined_and_a_field_without_a_colon_is_empty() {
    assert_eq!(data(b"data: a\ndata\ndata: b\n\ndata\n\n"), ["a\n\nb", ""]);
}

#[test]
fn comments_other_fields_and_events_without_data_are_no_events() {
    assert_eq!(data(b": ping\n\nid: 7\nretry: 3\n\nevent: x\n\n: \n:data: no\n\n"), [""; 0]);
    // The name of an event without data does not apply to the next event.
    assert_eq!(decode([&b"event: x\n\ndata: 1\n\n"[..]]).unwrap(), [("".into(), "1".into())]);
}

#[test]
fn a_byte_order_mark_is_skipped_at_the_start_alone_wherever_it_is_split() {
    let text = "\u{feff}data: 1\n\n\u{feff}data: 2\n\n".as_bytes();
    for at in 0..text.len() {
        let (one, two) = text.split_at(at);
        assert_eq!(decode([one, two]).unwrap(), [("".into(), "1".into())], "split at {at}");
    }
}

#[test]
fn a_character_split_over_pieces_is_whole_again() {
    let text = "data: žluťoučký 🐎\n\n".as_bytes();
    assert_eq!(decode(text.chunks(1)).unwrap(), [("".into(), "žluťoučký 🐎".into())]);
}

#[test]
fn the_last_event_needs_no_blank_line() {
    assert_eq!(data(b"data: 1\n\ndata: 2"), ["1", "2"]);
    assert_eq!(data(b"data: 1\n\ndata: 2\n"), ["1", "2"]);
}

#[test]
fn an_event_in_one_piece_is_lent_not_copied() {
    let bytes = b"data: here\n\ndata: there\n\n";
    let within = bytes.as_ptr_range();
    let mut lent = 0;
    let fed = Decoder::new(StreamFraming::Sse).feed(bytes, |event| {
        lent += usize::from(within.contains(&event.data.as_ptr()));
    });
    assert_eq!((fed, lent), (Ok(()), 2));
}

#[test]
fn a_line_or_an_event_without_end_is_given_up_before_it_fills_the_memory() {
    let piece = vec![b'x'; 1024 * 1024];
    let line = [piece.as_slice(), b"\ndata: "].concat();
    for (begin, piece) in [(&b"data: "[..], &piece), (b": ", &piece), (b"data: ", &line)] {
        let mut decoder = Decoder::new(StreamFraming::Sse);
        decoder.feed(begin, |_| panic!("no event yet")).unwrap();
        let fed = |decoder: &mut Decoder| decoder.feed(piece, |_| panic!("no event yet"));
        let good = (0..64).take_while(|_| fed(&mut decoder).is_ok()).count();
        assert!((15..17).contains(&good), "{good} pieces of 1 MiB were taken");
        assert_eq!(decoder.held.capacity(), 0);
        assert_eq!(fed(&mut decoder), Err(TooLarge));
    }
}

#[test]
fn the_memory_of_a_large_event_is_given_back() {
    let mut decoder = Decoder::new(StreamFraming::Sse);
    let large = vec![b'x'; 4 * 1024 * 1024];
    for piece in [&b"data: "[..], &large, b"\n", b"\n"] {
        decoder.feed(piece, |event| assert_eq!(event.data.len(), large.len())).unwrap();
    }
    assert!(decoder.held.capacity() <= 2 * Decoder::KEPT);
}

#[test]
fn a_page_is_not_framed_and_a_comment_is() {
    for (text, framed) in [("<html>\n<p>a: b\n", false), (": ping\n", true), ("data: 1\n", true)] {
        let mut decoder = Decoder::new(StreamFraming::Sse);
        decoder.feed(text.as_bytes(), |_| {}).unwrap();
        decoder.finish(|_| {});
        assert_eq!(decoder.is_framed(), framed, "{text}");
    }
}

/// Text as in streams, with many variations that are not.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "data",
        "data:",
        "data: ",
        "event: ",
        "id: 1",
        ": ping",
        "\n",
        "\n\n",
        "\r",
        "\r\n",
        " ",
        ":",
        "a",
        "{\"x\":1}",
        "[DONE]",
        "\u{feff}",
        "é",
        "🐎",
    ]);
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat().into_bytes())
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_gives_the_same_events(
        bytes in streams(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]);
        let whole = Some(plainly(&bytes));
        prop_assert_eq!(decode(pieces), whole.clone());
        prop_assert_eq!(decode(bytes.chunks(1)), whole.clone());
        prop_assert_eq!(decode([bytes.as_slice()]), whole);
    }

    #[test]
    fn no_bytes_make_it_panic(pieces in prop::collection::vec(any::<Vec<u8>>(), 0..8)) {
        let whole = decode([pieces.concat().as_slice()]);
        prop_assert_eq!(decode(pieces.iter().map(Vec::as_slice)), whole);
    }
}
