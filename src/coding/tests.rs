#![allow(clippy::unwrap_used)]
// The lint does not see that the whole module is for tests, as it has a feature as well.

use std::io::Write as _;

use bytes::Bytes;
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use http::{HeaderMap, Request, header};
use proptest::prelude::*;
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer};

use super::{
    Codings, DecodeError, StreamDecoder, decode, decode_request, decode_start,
    request::restore_request,
};

const WORD: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word\"},\"finish_reason\":null}]}\n\n";
const END: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
/// `WORD` and `END` as Node.js encodes them with a flush between them.
const BROTLI: [u8; 148] = [
    11, 40, 0, 0, 156, 5, 238, 222, 9, 167, 89, 194, 167, 107, 162, 89, 251, 80, 139, 236, 109,
    193, 76, 5, 150, 190, 22, 209, 249, 234, 91, 32, 93, 30, 112, 209, 175, 149, 212, 12, 224, 49,
    60, 126, 15, 74, 3, 217, 228, 121, 215, 83, 114, 45, 136, 87, 49, 88, 50, 227, 33, 139, 155,
    65, 2, 103, 63, 1, 5, 128, 199, 170, 120, 23, 144, 56, 24, 165, 196, 195, 98, 110, 74, 212, 61,
    214, 34, 91, 48, 123, 11, 132, 172, 21, 88, 186, 250, 182, 142, 8, 93, 223, 20, 217, 235, 75,
    145, 175, 48, 216, 128, 3, 246, 121, 160, 124, 90, 7, 160, 61, 224, 58, 181, 104, 162, 37, 17,
    75, 56, 92, 115, 41, 124, 89, 102, 38, 63, 153, 78, 9, 220, 223, 119, 190, 233, 41, 102, 0,
];
/// The length of the part before the flush.
const BROTLI_FIRST: usize = 67;

fn codings(names: &str) -> Codings {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_ENCODING, names.parse().unwrap());
    Codings::of(&headers)
}

/// Encodes the pieces, with a flush after each: the bytes of each piece.
fn gzip(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let mut coded: Vec<_> = pieces
        .iter()
        .map(|piece| {
            encoder.write_all(piece).unwrap();
            encoder.flush().unwrap();
            std::mem::take(encoder.get_mut())
        })
        .collect();
    coded.push(encoder.finish().unwrap());
    coded
}

fn deflate(plain: &[u8], zlib: bool) -> Vec<u8> {
    if zlib {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        return encoder.finish().unwrap();
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zstd(pieces: &[&[u8]], window: u32) -> Vec<Vec<u8>> {
    let mut context = CCtx::create();
    context.set_parameter(CParameter::WindowLog(window)).unwrap();
    let mut coded = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let mut room = Vec::with_capacity(piece.len() + 1024);
        let mut out = OutBuffer::around(&mut room);
        let mut input = InBuffer::around(piece);
        while input.pos < piece.len() {
            context.compress_stream(&mut out, &mut input).unwrap();
        }
        let left = match at + 1 == pieces.len() {
            true => context.end_stream(&mut out).unwrap(),
            false => context.flush_stream(&mut out).unwrap(),
        };
        assert_eq!(left, 0, "there is room for everything");
        coded.push(room);
    }
    coded
}

/// `WORD` and `END` in each coding, with the length of the part that is flushed after `WORD`, if there is a flush.
fn all() -> Vec<(&'static str, Vec<u8>, Option<usize>)> {
    let plain = [WORD, END].concat();
    let pieces = [WORD.as_bytes(), END.as_bytes()];
    let (gzip, zstd) = (gzip(&pieces), zstd(&pieces, 20));
    let twice = deflate(&gzip.concat(), true);
    vec![
        ("gzip", gzip.concat(), Some(gzip[0].len())),
        ("deflate", deflate(plain.as_bytes(), true), None),
        ("deflate", deflate(plain.as_bytes(), false), None),
        ("zstd", zstd.concat(), Some(zstd[0].len())),
        ("br", BROTLI.to_vec(), Some(BROTLI_FIRST)),
        ("gzip, deflate", twice, None),
    ]
}

#[test]
fn every_coding_is_decoded_and_one_that_is_cut_anywhere_is_cut() {
    let plain = [WORD, END].concat();
    for (name, coded, _) in all() {
        let codings = codings(name);
        assert_eq!(decode(&codings, &coded, 1000).as_deref(), Ok(plain.as_bytes()), "{name}");
        assert_eq!(decode(&codings, &coded, plain.len() - 1), Err(DecodeError::TooLarge));
        assert_eq!(decode(&codings, b"", 0), Ok(Vec::new()), "{name}");
        for cut in 1..coded.len() {
            let cut_body = decode(&codings, &coded[..cut], 1000);
            assert_eq!(cut_body, Err(DecodeError::Cut), "{name} {cut}");
            let start = decode_start(&codings, &coded[..cut], 1000);
            assert!(plain.as_bytes().starts_with(&start), "{name} {cut}");
        }
    }
}

#[test]
fn a_flushed_event_is_decoded_as_soon_as_its_last_byte_is_there() {
    for (name, coded, flushed) in all() {
        let Some(flushed) = flushed else { continue };
        let (mut decoder, mut plain) =
            (StreamDecoder::new(&codings(name)).unwrap(), Vec::<u8>::new());
        decoder.push(&coded[..flushed], |piece| plain.extend_from_slice(piece)).unwrap();
        assert_eq!(plain, WORD.as_bytes(), "{name}");
        decoder.push(&coded[flushed..], |piece| plain.extend_from_slice(piece)).unwrap();
        assert_eq!(plain, [WORD, END].concat().as_bytes(), "{name}");
        assert!(decoder.is_whole());
    }
}

#[test]
fn a_stream_that_is_split_anywhere_is_decoded_the_same() {
    for (name, coded, _) in all() {
        for split in 0..=coded.len() {
            let (mut decoder, mut plain) =
                (StreamDecoder::new(&codings(name)).unwrap(), Vec::new());
            for piece in [&coded[..split], &coded[split..]] {
                decoder.push(piece, |piece| plain.extend_from_slice(piece)).unwrap();
            }
            assert_eq!(plain, [WORD, END].concat().as_bytes(), "{name} {split}");
            assert!(decoder.is_whole(), "{name} {split}");
        }
        let (mut decoder, mut plain) = (StreamDecoder::new(&codings(name)).unwrap(), Vec::new());
        for byte in &coded {
            decoder.push(&[*byte], |piece| plain.extend_from_slice(piece)).unwrap();
        }
        assert_eq!(plain, [WORD, END].concat().as_bytes(), "{name}");
    }
}

#[test]
fn the_second_member_of_gzip_and_the_second_frame_of_zstd_are_decoded_too() {
    let [one, two] = [WORD, END].map(|text| gzip(&[text.as_bytes()]).concat());
    let members = decode(&codings("gzip"), &[one, two].concat(), 1000);
    assert_eq!(members.as_deref(), Ok([WORD, END].concat().as_bytes()));
    let [one, two] = [WORD, END].map(|text| zstd(&[text.as_bytes()], 20).concat());
    let frames = decode(&codings("zstd"), &[one, two].concat(), 1000);
    assert_eq!(frames.as_deref(), Ok([WORD, END].concat().as_bytes()));
}

#[test]
fn a_bomb_is_stopped_at_the_bound() {
    let zeros = vec![0; 48 << 20];
    for (name, coded) in [
        ("gzip", gzip(&[&zeros]).concat()),
        ("zstd", zstd(&[&zeros], 20).concat()),
        ("deflate, gzip", gzip(&[&deflate(&zeros, true)]).concat()),
    ] {
        assert!(coded.len() < 100 << 10, "{name}");
        assert_eq!(decode(&codings(name), &coded, 32 << 20), Err(DecodeError::TooLarge), "{name}");
        let (mut decoder, mut plain) = (StreamDecoder::new(&codings(name)).unwrap(), 0);
        let end = decoder.push(&coded, |piece| plain += piece.len());
        assert_eq!(end, Err(DecodeError::TooLarge), "{name}");
        assert!(plain <= (32 << 20) + 100 * coded.len(), "{name} {plain}");
        let after = decoder.push(b"", |_| panic!("nothing is decoded after a failure"));
        assert_eq!(after, Err(DecodeError::TooLarge));
    }
}

#[test]
fn a_window_of_zstd_beyond_that_of_http_is_refused() {
    let piece: &[u8] = &[b'x'; 100];
    assert!(decode(&codings("zstd"), &zstd(&[piece, piece], 23).concat(), 1000).is_ok());
    let wide = zstd(&[piece, piece], 27).concat();
    assert_eq!(decode(&codings("zstd"), &wide, 1000), Err(DecodeError::Broken));
}

#[test]
fn a_wrong_checksum_is_no_whole_body() {
    let mut coded = gzip(&[WORD.as_bytes()]).concat();
    let at = coded.len() - 6;
    coded[at] ^= 1;
    assert!(decode(&codings("gzip"), &coded, 1000).is_err());
}

fn coded_request() -> (Request<Bytes>, Vec<u8>) {
    let coded = gzip(&[b"{\"model\":\"m\"}"]).concat();
    let request = Request::post("https://api.example/v1/chat/completions")
        .header("content-encoding", "gzip")
        .header("content-digest", "sha-256=:x:")
        .header("content-length", coded.len())
        .header("x-mine", "1");
    (request.body(coded.clone().into()).unwrap(), coded)
}

#[test]
fn a_request_that_is_unchanged_is_restored_byte_for_byte() {
    let (mut request, coded) = coded_request();
    let headers = request.headers().clone();
    decode_request(&mut request);
    assert_eq!(request.body(), "{\"model\":\"m\"}");
    assert_eq!(request.headers()["content-length"], "13");
    assert!(!request.headers().contains_key("content-encoding"));
    *request.body_mut() = Bytes::copy_from_slice(request.body());
    restore_request(&mut request);
    assert_eq!((request.body(), request.headers()), (&Bytes::from(coded), &headers));
}

#[test]
fn a_request_that_was_changed_or_goes_elsewhere_is_plain_without_digests() {
    let (mut request, _) = coded_request();
    decode_request(&mut request);
    let mut elsewhere = request.clone();
    *request.body_mut() = Bytes::from("{\"model\":\"n\"}");
    *elsewhere.uri_mut() = "https://other.example/v1/chat/completions".parse().unwrap();
    for mut plain in [request, elsewhere] {
        restore_request(&mut plain);
        assert!(plain.body().starts_with(b"{\"model\":"));
        let names: Vec<_> = plain.headers().keys().map(header::HeaderName::as_str).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert_eq!(
            (&plain.headers()["x-mine"], &plain.headers()["content-length"]),
            (&"1".parse().unwrap(), &"13".parse().unwrap())
        );
    }
}

#[test]
fn a_request_that_cannot_be_decoded_stays_as_it_is() {
    let bomb = gzip(&[&vec![0; 33 << 20]]).concat();
    for (coding, body) in
        [("gzip", &b"{\"model\":\"m\"}"[..]), ("compress", b"x"), ("gzip", b""), ("gzip", &bomb)]
    {
        let request = Request::post("/").header("content-encoding", coding);
        let mut request = request.body(Bytes::copy_from_slice(body)).unwrap();
        decode_request(&mut request);
        assert_eq!(
            (&request.body()[..], &request.headers()["content-encoding"]),
            (body, &coding.parse::<http::HeaderValue>().unwrap())
        );
    }
}

#[test]
fn the_original_of_a_request_is_not_shown() {
    let (mut request, _) = coded_request();
    decode_request(&mut request);
    let shown = format!("{:?}", request.extensions());
    assert!(!shown.contains("model"), "{shown}");
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_within_the_bound_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        name in prop::sample::select(vec!["gzip", "deflate", "zstd", "br", "br, zstd, gzip"]),
    ) {
        prop_assert!(decode_start(&codings(name), &bytes, 1000).len() <= 1000);
    }

    #[test]
    fn a_body_with_changed_bytes_is_decoded_or_refused(
        (at, change) in (any::<prop::sample::Index>(), 1..=255u8),
        which in 0..6usize,
    ) {
        let (name, mut coded, _) = all().swap_remove(which);
        let at = at.index(coded.len());
        coded[at] ^= change;
        prop_assert!(decode_start(&codings(name), &coded, 1000).len() <= 1000);
        let mut decoder = StreamDecoder::new(&codings(name)).unwrap();
        let _ = decoder.push(&coded, |_| ());
    }

    #[test]
    fn any_pieces_give_the_same_bytes(
        text in prop::collection::vec(0..40u8, 0..3000),
        sizes in prop::collection::vec(1..200usize, 1..8),
        which in 0..3usize,
    ) {
        let (name, coded) = match which {
            0 => ("gzip", gzip(&[&text]).concat()),
            1 => ("zstd", zstd(&[&text, b""], 18).concat()),
            _ => ("deflate", deflate(&text, true)),
        };
        let (mut decoder, mut plain) = (StreamDecoder::new(&codings(name)).unwrap(), Vec::new());
        let (mut rest, mut sizes) = (&coded[..], sizes.iter().cycle());
        while !rest.is_empty() {
            let (piece, left) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            decoder.push(piece, |piece| plain.extend_from_slice(piece)).unwrap();
            rest = left;
        }
        prop_assert_eq!(plain, text);
    }
}
