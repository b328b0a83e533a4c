//! A stream in content codings.

use super::{chain::Chain, codings::Codings, decode_error::DecodeError};

/// Decodes a stream as its bytes arrive.
#[derive(Debug)]
pub(crate) struct StreamDecoder {
    chain: Chain,
    /// The coded and the decoded bytes so far.
    coded: u64,
    plain: u64,
    failure: Option<DecodeError>,
}

/// The decoded bytes that a stream may have beyond [`RATIO`] times its coded bytes: 32 MiB.
const ALLOWANCE: u64 = 32 << 20;
/// The decoded bytes for each coded byte. Events seldom reach 50.
const RATIO: u64 = 100;

// === impl StreamDecoder ===

impl StreamDecoder {
    /// `None` for a stream in no coding, or in an unknown one.
    pub(crate) fn new(codings: &Codings) -> Option<Self> {
        let Codings::Known(codings) = codings else { return None };
        Some(Self { chain: Chain::new(codings)?, coded: 0, plain: 0, failure: None })
    }

    /// Decodes the next bytes, and passes the result to `sink` as soon as there is some. After a failure nothing is decoded.
    pub(crate) fn push(
        &mut self,
        input: &[u8],
        mut sink: impl FnMut(&[u8]),
    ) -> Result<(), DecodeError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let Self { chain, coded, plain, failure } = self;
        *coded = coded.saturating_add(input.len() as u64);
        let most = coded.saturating_mul(RATIO).saturating_add(ALLOWANCE);
        let end = chain.push(input, &mut |piece| {
            *plain = plain.saturating_add(piece.len() as u64);
            if *plain > most {
                return Err(DecodeError::TooLarge);
            }
            sink(piece);
            Ok(())
        });
        *failure = end.err();
        end
    }

    /// Whether the codings have ended. For the end of the bytes: nothing can be decoded after it.
    pub(crate) fn is_whole(&mut self) -> bool {
        self.failure.is_none() && self.chain.is_whole()
    }
}
