//! Finds marks in the bytes of an answer, whole or streamed, however it is cut.

use std::sync::LazyLock;

use memchr::{memchr2, memchr3, memmem::Finder};

use super::{
    Mark, MarkHasher, MarkKind,
    string::{Piece, Unescape},
};
use crate::Dialect;

/// The fields of a dialect whose values have a mark.
type Keys = &'static [(&'static [u8], MarkKind)];

const ANTHROPIC: Keys = &[
    (b"signature", MarkKind::Signature),
    (b"data", MarkKind::Signature),
    (b"thinking", MarkKind::Text),
];
const CHAT: Keys = &[
    (b"thought_signature", MarkKind::Signature),
    (b"signature", MarkKind::Signature),
    (b"data", MarkKind::Signature),
    (b"reasoning_opaque", MarkKind::Signature),
    (b"reasoning_content", MarkKind::Text),
    (b"reasoning", MarkKind::Text),
    (b"reasoning_text", MarkKind::Text),
];
const RESPONSES: Keys = &[(b"encrypted_content", MarkKind::Signature), (b"id", MarkKind::Id)];
const GEMINI: Keys =
    &[(b"thoughtSignature", MarkKind::Signature), (b"thought_signature", MarkKind::Signature)];
const OLLAMA: Keys = &[(b"thinking", MarkKind::Text)];

/// The longest of these names, and one byte more, to tell a longer name from it.
const LONGEST: usize = 18;

/// Words, of which every part of an answer with such a field contains one.
type Words = LazyLock<Box<[Finder<'static>]>>;

macro_rules! words {
    ($($word:literal),*) => { LazyLock::new(|| [$(&$word[..]),*].map(Finder::new).into()) };
}

static IN_ANTHROPIC: Words = words![b"\"signature\"", b"thinking"];
static IN_CHAT: Words = words![b"\"reasoning", b"thought_signature"];
static IN_RESPONSES: Words = words![b"\"id\"", b"\"encrypted_content\""];
static IN_GEMINI: Words = words![b"houghtSignature", b"thought_signature"];
static IN_OLLAMA: Words = words![b"\"thinking\""];

/// Finds the [`Mark`]s of an answer in its bytes. A part without any of a dialect's words is not read.
#[derive(Debug)]
pub struct MarkScanner {
    keys: Keys,
    words: &'static [Finder<'static>],
    state: State,
    /// The texts of the fields with unsigned reasoning so far: they are streamed in pieces.
    texts: Vec<(usize, MarkHasher)>,
}

/// Where the scanner is in the JSON.
#[derive(Debug)]
enum State {
    /// Outside of a string, behind a name that has a mark if `name` is set; `colon` was read behind it.
    Outside { name: Option<usize>, colon: bool },
    /// In a string that may be a name.
    Name { begin: [u8; LONGEST], len: usize, unescape: Unescape },
    /// In the value of that field.
    Value { key: usize, hasher: MarkHasher, unescape: Unescape },
}

// === impl State ===

impl State {
    const START: Self = Self::Outside { name: None, colon: false };
    const STRING: Self = Self::Name { begin: [0; LONGEST], len: 0, unescape: Unescape::Plain };
}

// === impl MarkScanner ===

impl MarkScanner {
    /// A scanner for an answer in that dialect.
    pub fn new(dialect: Dialect) -> Self {
        let (keys, words): (Keys, &Words) = match dialect {
            Dialect::OpenAiChat => (CHAT, &IN_CHAT),
            Dialect::OpenAiResponses => (RESPONSES, &IN_RESPONSES),
            Dialect::Anthropic => (ANTHROPIC, &IN_ANTHROPIC),
            Dialect::Gemini => (GEMINI, &IN_GEMINI),
            Dialect::Ollama => (OLLAMA, &IN_OLLAMA),
        };
        Self { keys, words, state: State::START, texts: Vec::new() }
    }

    /// Reads the next bytes, and calls `found` with each mark in them.
    pub fn read(&mut self, bytes: &[u8], found: &mut dyn FnMut(Mark)) {
        let outside = matches!(self.state, State::Outside { .. });
        let lines = outside && bytes.last() == Some(&b'\n');
        if lines && !self.words.iter().any(|word| word.find(bytes).is_some()) {
            return;
        }
        let mut at = 0;
        while at < bytes.len() {
            at += self.skip(&bytes[at..]);
            let Some(byte) = bytes.get(at) else { break };
            self.step(*byte, found);
            at += 1;
        }
    }

    /// The marks that are known only at the end of the answer: of unsigned reasoning.
    pub fn finish(self, found: &mut dyn FnMut(Mark)) {
        self.texts.into_iter().filter_map(|(_, text)| text.finish()).for_each(found);
    }

    /// The number of bytes that change nothing.
    fn skip(&self, bytes: &[u8]) -> usize {
        let next = match &self.state {
            State::Outside { name: None, .. } => memchr2(b'"', b'\n', bytes),
            State::Name { len, unescape, .. } if *len == LONGEST && unescape.is_plain() => {
                memchr3(b'"', b'\\', b'\n', bytes)
            }
            _ => return 0,
        };
        next.unwrap_or(bytes.len())
    }

    fn step(&mut self, byte: u8, found: &mut dyn FnMut(Mark)) {
        // No string of JSON has a line break: the next line begins anew, whatever stood in this one.
        if byte == b'\n' {
            self.state = State::START;
            return;
        }
        match &mut self.state {
            State::Outside { name, colon } => match (byte, *name) {
                (b'"', Some(key)) if *colon => self.state = self.value(key),
                (b'"', _) => self.state = State::STRING,
                (b':', Some(_)) => *colon = true,
                (b' ' | b'\t' | b'\r', _) => {}
                _ => self.state = State::START,
            },
            State::Name { begin, len, unescape } => match unescape.next(byte) {
                Piece::End => {
                    let read = &begin[..*len];
                    let name = self.keys.iter().position(|(key, _)| *key == read);
                    self.state = State::Outside { name, colon: false };
                }
                Piece::Byte(byte) if *len < LONGEST => {
                    begin[*len] = byte;
                    *len += 1;
                }
                Piece::Unit(_) => *len = LONGEST,
                Piece::Byte(_) | Piece::Nothing => {}
            },
            State::Value { key, hasher, unescape } => match unescape.next(byte) {
                Piece::End => {
                    let (key, hasher) = (*key, *hasher);
                    self.end(key, hasher, found);
                }
                Piece::Byte(byte) => hasher.byte(byte),
                Piece::Unit(unit) => write_unit(hasher, unit),
                Piece::Nothing => {}
            },
        }
    }

    /// The beginning of a value: a text goes on where the last piece of it has ended.
    fn value(&self, key: usize) -> State {
        let before = self.texts.iter().find(|(known, _)| *known == key).map(|(_, text)| *text);
        let hasher = before.unwrap_or_else(|| MarkHasher::new(self.keys[key].1));
        State::Value { key, hasher, unescape: Unescape::Plain }
    }

    fn end(&mut self, key: usize, hasher: MarkHasher, found: &mut dyn FnMut(Mark)) {
        self.state = State::START;
        if self.keys[key].1 != MarkKind::Text {
            hasher.finish().into_iter().for_each(found);
            return;
        }
        match self.texts.iter_mut().find(|(known, _)| *known == key) {
            Some((_, text)) => *text = hasher,
            None => self.texts.push((key, hasher)),
        }
    }
}

/// Hashes a character that was escaped by its number as the character itself.
fn write_unit(hasher: &mut MarkHasher, unit: u16) {
    match char::from_u32(unit.into()) {
        Some(char) => hasher.write(char.encode_utf8(&mut [0; 4]).as_bytes()),
        None => hasher.write(&unit.to_be_bytes()),
    }
}
