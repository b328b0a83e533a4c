//! The hash of a value that only its maker can use.

use std::fmt;

/// The hash of a signature, of an id, or of the text of unsigned reasoning.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark(u64);

/// What a value is: equal texts of different kinds have different marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MarkKind {
    /// A signature, or reasoning that is encrypted.
    Signature,
    /// The text of reasoning that has no signature.
    Text,
    /// The id of an answer, of an item in it, or of a conversation.
    Id,
}

/// Hashes a value piece by piece: the result does not depend on how the value is cut into pieces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MarkHasher {
    state: u64,
    any: bool,
}

// === impl Mark ===

impl Mark {
    /// The mark of a whole value; `None` for an empty one.
    pub(crate) fn of(kind: MarkKind, value: &str) -> Option<Self> {
        let mut hasher = MarkHasher::new(kind);
        hasher.write(value.as_bytes());
        hasher.finish()
    }

    /// The mark of a signature.
    pub(crate) fn signature(value: &str) -> Option<Self> {
        Self::of(MarkKind::Signature, value)
    }

    /// The mark of an id.
    pub(crate) fn id(value: &str) -> Option<Self> {
        Self::of(MarkKind::Id, value)
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mark")
    }
}

// === impl MarkHasher ===

impl MarkHasher {
    /// The constants of FNV-1a with 64 bits.
    const START: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;

    pub(crate) fn new(kind: MarkKind) -> Self {
        let mut hasher = Self { state: Self::START, any: false };
        hasher.byte(match kind {
            MarkKind::Signature => 1,
            MarkKind::Text => 2,
            MarkKind::Id => 3,
        });
        hasher.any = false;
        hasher
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.state = (self.state ^ u64::from(byte)).wrapping_mul(Self::PRIME);
        self.any = true;
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.byte(*byte));
    }

    /// The mark; `None` if nothing was hashed.
    pub(crate) fn finish(self) -> Option<Mark> {
        self.any.then_some(Mark(self.state))
    }
}
