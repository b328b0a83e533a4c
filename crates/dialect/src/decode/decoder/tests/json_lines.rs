use proptest::prelude::*;

use super::super::*;

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let (mut decoder, mut lines) = (Decoder::new(StreamFraming::JsonLines), Vec::new());
    let mut each =
        |event: RawEvent<'_>| lines.push(String::from_utf8_lossy(event.data).into_owned());
    for piece in pieces {
        decoder.feed(piece, &mut each).unwrap();
    }
    decoder.finish(&mut each);
    lines
}

#[test]
fn every_line_that_is_not_blank_is_an_event() {
    assert_eq!(decode([&b"{1}\n\r\n  {2} \r\n\n{3}"[..]]), ["{1}", "{2}", "{3}"]);
    assert_eq!(decode([&b" \n\n"[..]]), [""; 0]);
}

#[test]
fn a_line_in_one_piece_is_lent_not_copied() {
    let bytes = b"{1}\n{2}\n";
    let within = bytes.as_ptr_range();
    let mut lent = 0;
    let fed = Decoder::new(StreamFraming::JsonLines).feed(bytes, |event| {
        lent += usize::from(within.contains(&event.data.as_ptr()));
    });
    assert_eq!((fed, lent), (Ok(()), 2));
}

#[test]
fn a_line_without_end_is_given_up_before_it_fills_the_memory() {
    let piece = vec![b'x'; 1024 * 1024];
    let mut decoder = Decoder::new(StreamFraming::JsonLines);
    let fed = |decoder: &mut Decoder| decoder.feed(&piece, |_| panic!("no line yet"));
    assert_eq!((0..64).take_while(|_| fed(&mut decoder).is_ok()).count(), 16);
    assert_eq!((decoder.held.capacity(), fed(&mut decoder)), (0, Err(TooLarge)));
    assert_eq!(decoder.feed(b"\n{1}\n", |_| panic!("nothing more")), Err(TooLarge));
}

#[test]
fn the_memory_of_a_large_line_is_given_back() {
    let (mut decoder, large) =
        (Decoder::new(StreamFraming::JsonLines), vec![b'x'; 4 * 1024 * 1024]);
    for piece in [&large[..], b"\n{1"] {
        decoder.feed(piece, |event| assert_eq!(event.data.len(), large.len())).unwrap();
    }
    assert!(decoder.held.capacity() <= 2 * Decoder::KEPT);
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_gives_the_same_lines(
        pieces in prop::collection::vec(r"[a\n\r {}é]{0,9}", 0..9),
    ) {
        let text = pieces.concat();
        let lines: Vec<_> = text.split('\n').map(|line| line.trim_matches([' ', '\r'])).filter(|line| !line.is_empty()).collect();
        prop_assert_eq!(decode(pieces.iter().map(String::as_bytes)), lines.clone());
        prop_assert_eq!(decode(text.as_bytes().chunks(1)), lines);
    }
}
