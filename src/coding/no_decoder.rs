//! No decoders: without the feature `compression` every coding is an unknown one.

use super::{codings::Coding, decode_error::DecodeError};

/// The decoder of one coding, in a build without the feature `compression`: never constructed.
#[derive(Debug)]
pub(super) enum Decoder {}

// === impl Decoder ===

impl Decoder {
    pub(super) fn new(_: Coding) -> Option<Self> {
        None
    }

    pub(super) fn step(&mut self, _: &[u8], _: &mut Vec<u8>) -> Result<usize, DecodeError> {
        match *self {}
    }

    pub(super) fn is_whole(&mut self) -> bool {
        match *self {}
    }
}
