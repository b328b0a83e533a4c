//! Reads one HTTP/1.1 request from the bytes so far.

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// One request: what a provider looks at.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// HTTP/1.0, or a client that asked for it: the connection closes after the answer.
    pub(super) close: bool,
    /// HTTP/1.0 knows no chunks.
    pub(super) chunks: bool,
}

/// What the bytes so far make.
#[derive(Debug)]
pub(super) enum Read {
    Whole(Incoming),
    More,
    /// More, and the client waits for a word before it sends its body.
    Continue,
    /// To be answered with this status, and closed.
    Bad(StatusCode),
}

#[derive(Debug)]
struct Head {
    length: usize,
    path: String,
    headers: HeaderMap,
    version: u8,
}

const HEADERS: usize = 100;
const HEAD_MAX: usize = 64 * 1024;
const BODY_MAX: usize = 16 * 1024 * 1024;

/// Takes one request out of the buffer, if it is there as a whole.
pub(super) fn read(buffer: &mut BytesMut) -> Read {
    let head = match head(buffer) {
        Ok(Some(head)) => head,
        Ok(None) if buffer.len() > HEAD_MAX => {
            return Read::Bad(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        Ok(None) => return Read::More,
        Err(status) => return Read::Bad(status),
    };
    let body = match body(&head.headers, &buffer[head.length..]) {
        Ok(Some((body, taken))) => {
            buffer.advance(head.length + taken);
            body
        }
        Ok(None) if expects(&head) && buffer.len() == head.length => return Read::Continue,
        Ok(None) => return Read::More,
        Err(status) => return Read::Bad(status),
    };
    let close = head.version == 0 || says(&head.headers, "connection", "close");
    let Head { path, headers, version, .. } = head;
    Read::Whole(Incoming { path, headers, body, close, chunks: version > 0 })
}

fn head(bytes: &[u8]) -> Result<Option<Head>, StatusCode> {
    let mut slots = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut slots);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        Err(_) => return Err(StatusCode::BAD_REQUEST),
    };
    let version = request.version.unwrap_or(1);
    let path = request.path.unwrap_or_default().to_owned();
    let mut headers = HeaderMap::new();
    for header in request.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let value = HeaderValue::from_bytes(header.value);
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(StatusCode::BAD_REQUEST);
        };
        headers.append(name, value);
    }
    Ok(Some(Head { length, path, headers, version }))
}

/// The body, and how many bytes it took, if it is there as a whole.
fn body(headers: &HeaderMap, bytes: &[u8]) -> Result<Option<(Bytes, usize)>, StatusCode> {
    if says(headers, "transfer-encoding", "chunked") {
        return chunked(bytes);
    }
    let length = match headers.get(http::header::CONTENT_LENGTH).map(HeaderValue::to_str) {
        None => 0,
        Some(Ok(text)) => text.trim().parse().map_err(|_| StatusCode::BAD_REQUEST)?,
        Some(Err(_)) => return Err(StatusCode::BAD_REQUEST),
    };
    if length > BODY_MAX {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    Ok(bytes.get(..length).map(|body| (Bytes::copy_from_slice(body), length)))
}

fn chunked(bytes: &[u8]) -> Result<Option<(Bytes, usize)>, StatusCode> {
    let mut body = BytesMut::new();
    let mut at = 0;
    loop {
        let (start, size) = match httparse::parse_chunk_size(&bytes[at..]) {
            Ok(httparse::Status::Complete((start, size))) => (at + start, size),
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(StatusCode::BAD_REQUEST),
        };
        if body.len() as u64 + size > BODY_MAX as u64 {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let end = start + size as usize;
        let Some(line) = bytes.get(end..end + 2) else {
            return Ok(None);
        };
        if line != b"\r\n" {
            // Trailers come here after the last chunk; no client of an AI API sends any.
            return Err(StatusCode::BAD_REQUEST);
        }
        body.extend_from_slice(&bytes[start..end]);
        at = end + 2;
        if size == 0 {
            return Ok(Some((body.freeze(), at)));
        }
    }
}

fn expects(head: &Head) -> bool {
    says(&head.headers, "expect", "100-continue")
}

fn says(headers: &HeaderMap, name: &str, what: &str) -> bool {
    let mut values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.any(|value| value.split(',').any(|word| word.trim().eq_ignore_ascii_case(what)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &[u8]) -> Incoming {
        match read(&mut BytesMut::from(bytes)) {
            Read::Whole(incoming) => incoming,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_is_read_only_when_it_is_whole() {
        let bytes = b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc";
        for end in 0..bytes.len() {
            let read = read(&mut BytesMut::from(&bytes[..end]));
            assert!(matches!(read, Read::More), "{end}: {read:?}");
        }
        assert_eq!(whole(bytes).body, "abc");
    }

    #[test]
    fn what_follows_a_request_stays_in_the_buffer() {
        let mut buffer = BytesMut::from(&b"GET / HTTP/1.1\r\n\r\nGET /2"[..]);
        assert!(matches!(read(&mut buffer), Read::Whole(_)));
        assert_eq!(&buffer[..], b"GET /2");
    }

    #[test]
    fn a_chunked_request_is_read() {
        let head = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
        let bytes = format!("{head}3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
        for end in 0..bytes.len() {
            let read = read(&mut BytesMut::from(&bytes.as_bytes()[..end]));
            assert!(matches!(read, Read::More), "{end}: {read:?}");
        }
        assert_eq!(whole(bytes.as_bytes()).body, "abcde");
    }

    #[test]
    fn a_bad_request_has_its_status() {
        let status = |bytes: &str| match read(&mut BytesMut::from(bytes)) {
            Read::Bad(status) => status.as_u16(),
            other => panic!("{other:?}"),
        };
        assert_eq!(status("nonsense\r\n\r\n"), 400);
        assert_eq!(status("POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n"), 400);
        assert_eq!(status("POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n"), 413);
        let chunked = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(status(&format!("{chunked}fffffff\r\n")), 413);
        assert_eq!(status(&format!("{chunked}zz\r\n")), 400);
        let long = "a".repeat(HEAD_MAX);
        assert_eq!(status(&format!("GET / HTTP/1.1\r\nx: {long}")), 431);
        let many: String = (0..=HEADERS).map(|n| format!("x{n}: y\r\n")).collect();
        assert_eq!(status(&format!("GET / HTTP/1.1\r\n{many}\r\n")), 431);
    }

    #[test]
    fn a_client_that_waits_for_a_word_gets_it() {
        let bytes = "POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n";
        assert!(matches!(read(&mut BytesMut::from(bytes)), Read::Continue));
    }

    #[test]
    fn a_connection_is_kept_unless_the_client_says_no() {
        assert!(!whole(b"GET / HTTP/1.1\r\n\r\n").close);
        assert!(whole(b"GET / HTTP/1.1\r\nConnection: Close\r\n\r\n").close);
        assert!(whole(b"GET / HTTP/1.0\r\n\r\n").close);
    }
}
