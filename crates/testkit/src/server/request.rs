//! Parses one HTTP/1.1 request.

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// A request, with the parts that a provider reads.
#[derive(Debug)]
pub(super) struct IncomingRequest {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Whether the connection closes after the answer: in HTTP/1.0, or with `connection: close`.
    pub(super) close: bool,
    /// Whether the answer can be chunked: not in HTTP/1.0.
    pub(super) can_chunk: bool,
}

/// The state of a request that is read.
#[derive(Debug)]
pub(super) enum ParseState {
    /// The whole request.
    Complete(IncomingRequest),
    /// More bytes are needed.
    Incomplete,
    /// More bytes are needed, and the client waits for `100 Continue`.
    Continue,
    /// Not valid: answered by this status.
    Invalid(StatusCode),
}

#[derive(Debug)]
struct RequestHead {
    length: usize,
    path: String,
    headers: HeaderMap,
    version: u8,
}

const MAX_HEADERS: usize = 100;
const MAX_HEAD_BYTES: usize = 64 * 1024;
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// Takes one request from the buffer, if all of it is there.
pub(super) fn parse(buffer: &mut BytesMut) -> ParseState {
    let head = match head(buffer) {
        Ok(Some(head)) => head,
        Ok(None) if buffer.len() > MAX_HEAD_BYTES => {
            return ParseState::Invalid(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        Ok(None) => return ParseState::Incomplete,
        Err(status) => return ParseState::Invalid(status),
    };
    let body = match body(&head.headers, &buffer[head.length..]) {
        Ok(Some((body, taken))) => {
            buffer.advance(head.length + taken);
            body
        }
        Ok(None) if expects_continue(&head) && buffer.len() == head.length => {
            return ParseState::Continue;
        }
        Ok(None) => return ParseState::Incomplete,
        Err(status) => return ParseState::Invalid(status),
    };
    let close = head.version == 0 || has_token(&head.headers, "connection", "close");
    let RequestHead { path, headers, version, .. } = head;
    ParseState::Complete(IncomingRequest { path, headers, body, close, can_chunk: version > 0 })
}

fn head(bytes: &[u8]) -> Result<Option<RequestHead>, StatusCode> {
    let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
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
    Ok(Some(RequestHead { length, path, headers, version }))
}

/// The body and its length in the buffer, if all of it is there.
fn body(headers: &HeaderMap, bytes: &[u8]) -> Result<Option<(Bytes, usize)>, StatusCode> {
    if has_token(headers, "transfer-encoding", "chunked") {
        return chunked(bytes);
    }
    let length = match headers.get(http::header::CONTENT_LENGTH).map(HeaderValue::to_str) {
        None => 0,
        Some(Ok(text)) => text.trim().parse().map_err(|_| StatusCode::BAD_REQUEST)?,
        Some(Err(_)) => return Err(StatusCode::BAD_REQUEST),
    };
    if length > MAX_BODY_BYTES {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    Ok(bytes.get(..length).map(|body| (Bytes::copy_from_slice(body), length)))
}

fn chunked(bytes: &[u8]) -> Result<Option<(Bytes, usize)>, StatusCode> {
    let mut body = BytesMut::new();
    let mut position = 0;
    loop {
        let (start, size) = match httparse::parse_chunk_size(&bytes[position..]) {
            Ok(httparse::Status::Complete((start, size))) => (position + start, size),
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(StatusCode::BAD_REQUEST),
        };
        if body.len() as u64 + size > MAX_BODY_BYTES as u64 {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let end = start + size as usize;
        let Some(line) = bytes.get(end..end + 2) else {
            return Ok(None);
        };
        if line != b"\r\n" {
            // Trailers are not supported: no client of an AI API sends them.
            return Err(StatusCode::BAD_REQUEST);
        }
        body.extend_from_slice(&bytes[start..end]);
        position = end + 2;
        if size == 0 {
            return Ok(Some((body.freeze(), position)));
        }
    }
}

fn expects_continue(head: &RequestHead) -> bool {
    has_token(&head.headers, "expect", "100-continue")
}

fn has_token(headers: &HeaderMap, name: &str, token: &str) -> bool {
    let mut values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.any(|value| value.split(',').any(|word| word.trim().eq_ignore_ascii_case(token)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &[u8]) -> IncomingRequest {
        match parse(&mut BytesMut::from(bytes)) {
            ParseState::Complete(incoming) => incoming,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_is_read_only_when_it_is_complete() {
        let bytes = b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc";
        for end in 0..bytes.len() {
            let state = parse(&mut BytesMut::from(&bytes[..end]));
            assert!(matches!(state, ParseState::Incomplete), "{end}: {state:?}");
        }
        assert_eq!(whole(bytes).body, "abc");
    }

    #[test]
    fn what_follows_a_request_stays_in_the_buffer() {
        let mut buffer = BytesMut::from(&b"GET / HTTP/1.1\r\n\r\nGET /2"[..]);
        assert!(matches!(parse(&mut buffer), ParseState::Complete(_)));
        assert_eq!(&buffer[..], b"GET /2");
    }

    #[test]
    fn a_chunked_request_is_read() {
        let head = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
        let bytes = format!("{head}3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
        for end in 0..bytes.len() {
            let state = parse(&mut BytesMut::from(&bytes.as_bytes()[..end]));
            assert!(matches!(state, ParseState::Incomplete), "{end}: {state:?}");
        }
        assert_eq!(whole(bytes.as_bytes()).body, "abcde");
    }

    #[test]
    fn a_bad_request_has_its_status() {
        let status = |bytes: &str| match parse(&mut BytesMut::from(bytes)) {
            ParseState::Invalid(status) => status.as_u16(),
            other => panic!("{other:?}"),
        };
        assert_eq!(status("nonsense\r\n\r\n"), 400);
        assert_eq!(status("POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n"), 400);
        assert_eq!(status("POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n"), 413);
        let chunked = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(status(&format!("{chunked}fffffff\r\n")), 413);
        assert_eq!(status(&format!("{chunked}zz\r\n")), 400);
        let long = "a".repeat(MAX_HEAD_BYTES);
        assert_eq!(status(&format!("GET / HTTP/1.1\r\nx: {long}")), 431);
        let many: String = (0..=MAX_HEADERS).map(|n| format!("x{n}: y\r\n")).collect();
        assert_eq!(status(&format!("GET / HTTP/1.1\r\n{many}\r\n")), 431);
    }

    #[test]
    fn a_client_that_expects_100_continue_receives_it() {
        let bytes = "POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n";
        assert!(matches!(parse(&mut BytesMut::from(bytes)), ParseState::Continue));
    }

    #[test]
    fn a_connection_is_reused_unless_the_client_closes_it() {
        assert!(!whole(b"GET / HTTP/1.1\r\n\r\n").close);
        assert!(whole(b"GET / HTTP/1.1\r\nConnection: Close\r\n\r\n").close);
        assert!(whole(b"GET / HTTP/1.0\r\n\r\n").close);
    }
}
