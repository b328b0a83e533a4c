//! Why a body cannot be decoded.

/// Why a body cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// The bytes are not of that coding.
    Broken,
    /// The end is missing.
    Cut,
    /// The decoded body is larger than allowed.
    TooLarge,
}
