//! The decoders of all codings of a body, and bodies that are known in full.

use super::{
    codings::{Coding, Codings},
    decode_error::DecodeError,
    decoder::Decoder,
};

/// The decoders of a body, one behind the other: the coding that was applied last is decoded first.
#[derive(Debug)]
pub(super) struct Chain(Vec<Decoder>);

// === impl Chain ===

impl Chain {
    /// `None` if a coding is unknown.
    pub(super) fn new(codings: &[Coding]) -> Option<Self> {
        codings.iter().rev().map(|coding| Decoder::new(*coding)).collect::<Option<_>>().map(Self)
    }

    /// Decodes the next bytes, and passes the result to `sink` in pieces of a bounded size, as soon as there is some.
    pub(super) fn push(
        &mut self,
        input: &[u8],
        sink: &mut dyn FnMut(&[u8]) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        push(&mut self.0, input, sink)
    }

    /// Whether all codings have ended. For the end of the bytes: nothing can be decoded after it.
    pub(super) fn is_whole(&mut self) -> bool {
        self.0.iter_mut().all(Decoder::is_whole)
    }
}

fn push(
    decoders: &mut [Decoder],
    mut input: &[u8],
    sink: &mut dyn FnMut(&[u8]) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let Some((first, others)) = decoders.split_first_mut() else { return sink(input) };
    let mut output = Vec::new();
    loop {
        output.clear();
        let read = first.step(input, &mut output)?;
        if read == 0 && output.is_empty() {
            return Ok(());
        }
        input = &input[read..];
        if !output.is_empty() {
            push(others, &output, sink)?;
        }
    }
}

/// Decodes a whole body to at most `most` bytes. An empty body is an empty one in any coding.
pub(crate) fn decode(codings: &Codings, body: &[u8], most: usize) -> Result<Vec<u8>, DecodeError> {
    let (plain, end) = run(codings, body, most);
    end.map(|()| plain)
}

/// Decodes the beginning of a body, of at most `most` bytes, as far as it can be decoded.
pub(crate) fn decode_start(codings: &Codings, body: &[u8], most: usize) -> Vec<u8> {
    run(codings, body, most).0
}

fn run(codings: &Codings, body: &[u8], most: usize) -> (Vec<u8>, Result<(), DecodeError>) {
    let mut plain = Vec::new();
    let chain = match codings {
        Codings::Known(codings) => Chain::new(codings),
        Codings::Plain | Codings::Unknown => None,
    };
    let Some(mut chain) = chain else { return (plain, Err(DecodeError::Broken)) };
    if body.is_empty() {
        return (plain, Ok(()));
    }
    let end = chain.push(body, &mut |piece| {
        let room = most - plain.len();
        plain.extend_from_slice(&piece[..piece.len().min(room)]);
        if piece.len() > room { Err(DecodeError::TooLarge) } else { Ok(()) }
    });
    let whole = |()| if chain.is_whole() { Ok(()) } else { Err(DecodeError::Cut) };
    let end = end.and_then(whole);
    (plain, end)
}
