//! The decoders of the codings, one step at a time: no step puts out more than a few times [`STEP`] bytes.

use std::{fmt, io::Write};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status, write::MultiGzDecoder};
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

use super::{codings::Coding, decode_error::DecodeError};

/// The bytes that one step puts out at most: 32 KiB.
const STEP: usize = 32 << 10;
/// The binary logarithm of the largest window of zstd: 8 MiB (RFC 9659).
const ZSTD_WINDOW: u32 = 23;

type Brotli = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

/// The decoder of one coding.
pub(super) enum Decoder {
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    /// The first byte decides whether there is a header of zlib.
    DeflateStart,
    Deflate {
        state: Decompress,
        whole: bool,
    },
    Zstd {
        state: DCtx<'static>,
        whole: bool,
    },
    Brotli {
        state: Box<Brotli>,
        whole: bool,
    },
}

// === impl Decoder ===

impl Decoder {
    /// `None` if there is no memory for it.
    pub(super) fn new(coding: Coding) -> Option<Self> {
        Some(match coding {
            Coding::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            Coding::Deflate => Self::DeflateStart,
            Coding::Zstd => {
                let mut state = DCtx::try_create()?;
                state.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW)).ok()?;
                Self::Zstd { state, whole: false }
            }
            Coding::Brotli => {
                let alloc = StandardAlloc::default;
                let state = Box::new(BrotliState::new_strict(alloc(), alloc(), alloc()));
                Self::Brotli { state, whole: false }
            }
        })
    }

    /// Decodes a part of `input`, appends the result to `output`, and returns the length of that part. All of `input` is decoded
    /// when a step reads nothing and puts out nothing; what is left then follows the end of the coding.
    pub(super) fn step(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<usize, DecodeError> {
        match self {
            Self::Gzip(state) => gzip(state, input, output),
            Self::DeflateStart => {
                let Some(first) = input.first() else { return Ok(0) };
                *self = Self::deflate(*first);
                self.step(input, output)
            }
            Self::Deflate { state, whole } => deflate(state, whole, input, output),
            Self::Zstd { state, whole } => zstd(state, whole, input, output),
            Self::Brotli { state, whole } => brotli(state, whole, input, output),
        }
    }

    /// Whether the coding has ended, with the right checksum if it has one. For the end of the bytes: nothing
    /// can be decoded after it.
    pub(super) fn is_whole(&mut self) -> bool {
        match self {
            Self::Gzip(state) => state.try_finish().is_ok(),
            Self::DeflateStart => false,
            Self::Deflate { whole, .. } | Self::Zstd { whole, .. } | Self::Brotli { whole, .. } => {
                *whole
            }
        }
    }

    /// The header of zlib has the method in the low half of its first byte: 8. No encoder begins a bare stream with these bits.
    fn deflate(first: u8) -> Self {
        Self::Deflate { state: Decompress::new(first & 0x0f == 8), whole: false }
    }
}

fn gzip(
    state: &mut MultiGzDecoder<Vec<u8>>,
    input: &[u8],
    output: &mut Vec<u8>,
) -> Result<usize, DecodeError> {
    let read = match input.is_empty() {
        true => 0,
        false => state.write(input).map_err(|_| DecodeError::Broken)?,
    };
    // What was decoded is handed on at once: it may be an event.
    state.flush().map_err(|_| DecodeError::Broken)?;
    output.append(state.get_mut());
    Ok(read)
}

fn deflate(
    state: &mut Decompress,
    whole: &mut bool,
    input: &[u8],
    output: &mut Vec<u8>,
) -> Result<usize, DecodeError> {
    if *whole {
        return Ok(0);
    }
    output.reserve(STEP);
    let before = state.total_in();
    let status = state.decompress_vec(input, output, FlushDecompress::Sync);
    *whole = status.map_err(|_| DecodeError::Broken)? == Status::StreamEnd;
    Ok((state.total_in() - before) as usize)
}

fn zstd(
    state: &mut DCtx<'static>,
    whole: &mut bool,
    input: &[u8],
    output: &mut Vec<u8>,
) -> Result<usize, DecodeError> {
    let mut room = vec![0; STEP];
    let (mut from, mut to) = (InBuffer::around(input), OutBuffer::around(&mut room[..]));
    let left = state.decompress_stream(&mut to, &mut from).map_err(|_| DecodeError::Broken)?;
    let (read, written) = (from.pos, to.pos());
    // After its end the decoder expects another frame: without one the body ends there.
    if read > 0 || written > 0 {
        *whole = left == 0;
    }
    output.extend_from_slice(&room[..written]);
    Ok(read)
}

fn brotli(
    state: &mut Brotli,
    whole: &mut bool,
    input: &[u8],
    output: &mut Vec<u8>,
) -> Result<usize, DecodeError> {
    if *whole {
        return Ok(0);
    }
    let mut room = vec![0; STEP];
    let (mut left, mut read, mut free, mut put, mut all) = (input.len(), 0, STEP, 0, 0);
    let to = &mut room[..];
    #[rustfmt::skip]
    let end = BrotliDecompressStream(
        &mut left, &mut read, input, &mut free, &mut put, to, &mut all, state,
    );
    if matches!(end, BrotliResult::ResultFailure) {
        return Err(DecodeError::Broken);
    }
    *whole = matches!(end, BrotliResult::ResultSuccess);
    output.extend_from_slice(&room[..put]);
    Ok(read)
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip(_) => "Gzip",
            Self::DeflateStart | Self::Deflate { .. } => "Deflate",
            Self::Zstd { .. } => "Zstd",
            Self::Brotli { .. } => "Brotli",
        })
    }
}
