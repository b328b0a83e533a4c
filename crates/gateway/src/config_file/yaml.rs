//! YAML, without anchors: a file that repeats itself is written out.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};
use serde_json::{Map, Value};

use super::{
    lines::{Lines, key_path},
    syntax_error::{SyntaxError, key_on},
    yaml_scalar::{Number, plain},
};

/// The levels of the deepest text.
const DEEPEST: usize = 32;

/// The longest key, in bytes.
const LONGEST_KEY: usize = 128;

/// Reads the events of a text.
struct Reader<'a> {
    text: &'a str,
    events: Parser<'a, StrInput<'a>>,
    lines: Lines,
}

/// An event and its line.
type Item<'a> = (Event<'a>, usize);

/// The tree of a text, and the lines of its keys.
pub(crate) fn parse(text: &str) -> Result<(Value, Lines), SyntaxError> {
    let mut reader = Reader { text, events: Parser::new_from_str(text), lines: Lines::default() };
    let mut document = None;
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => break,
            (Event::StreamStart | Event::DocumentEnd | Event::Nothing, _) => {}
            (Event::DocumentStart(_), line) if document.is_some() => {
                let what = "is a second document; allowed is one";
                return Err(SyntaxError::plain(line, "the configuration", what));
            }
            (Event::DocumentStart(_), _) => {
                let item = reader.next()?;
                document = Some(reader.value("", item, DEEPEST)?);
            }
            (_, line) => return Err(reader.wrong(line, "a value outside of a document")),
        }
    }
    // A text of comments alone sets nothing.
    let value = document.filter(|value| !value.is_null()).unwrap_or(Value::Object(Map::new()));
    Ok((value, reader.lines))
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Item<'a>, SyntaxError> {
        match self.events.next_event() {
            Some(Ok((event, Span { start, .. }))) => Ok((event, start.line())),
            Some(Err(error)) => Err(self.syntax(&error)),
            None => Ok((Event::StreamEnd, 1)),
        }
    }

    fn syntax(&self, error: &ScanError) -> SyntaxError {
        self.wrong(error.marker().line().max(1), error.info())
    }

    fn wrong(&self, line: usize, message: &str) -> SyntaxError {
        SyntaxError::new(line, key_on(self.text, line, ':'), "YAML", message)
    }

    /// The value that begins with an event, with at most `below` levels in it.
    fn value(
        &mut self,
        path: &str,
        (event, line): Item<'a>,
        below: usize,
    ) -> Result<Value, SyntaxError> {
        let at = if path.is_empty() { "the configuration" } else { path };
        let refused = |what: &str| Err(SyntaxError::plain(line, at, what));
        match event {
            Event::Scalar(text, ScalarStyle::Plain, _, None) => match plain(&text) {
                Number::Finite(value) => Ok(value),
                Number::Infinite => refused("is no finite number; allowed is one"),
            },
            Event::Scalar(text, _, _, None) => Ok(Value::from(&*text)),
            Event::Scalar(text, _, _, Some(tag)) if tag.suffix == "str" => Ok(Value::from(&*text)),
            Event::SequenceStart(_, None) | Event::MappingStart(_, None) if below == 0 => {
                refused("is nested too deeply; allowed are 32 levels")
            }
            Event::SequenceStart(_, None) => self.list(path, below - 1),
            Event::MappingStart(_, None) => self.table(path, below - 1),
            Event::Alias(_) => refused("is an alias of YAML; allowed is the value itself"),
            _ => refused("has a tag of YAML; allowed is a value without one"),
        }
    }

    fn list(&mut self, path: &str, below: usize) -> Result<Value, SyntaxError> {
        let mut values = Vec::new();
        loop {
            let item = self.next()?;
            if item.0 == Event::SequenceEnd {
                return Ok(Value::Array(values));
            }
            let path = format!("{path}[{}]", values.len());
            self.lines.add(&path, item.1);
            values.push(self.value(&path, item, below)?);
        }
    }

    fn table(&mut self, path: &str, below: usize) -> Result<Value, SyntaxError> {
        let mut values = Map::new();
        loop {
            let (key, line) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Value::Object(values)),
                (Event::Scalar(key, ..), line) => (key.into_owned(), line),
                (_, line) => return Err(self.wrong(line, "a key that is no text")),
            };
            if key.len() > LONGEST_KEY {
                return Err(SyntaxError::plain(
                    line,
                    "a key",
                    "is longer than 128 bytes; allowed are 128",
                ));
            }
            let path = key_path(path, &key);
            if values.contains_key(&key) {
                let what = "is there twice; allowed is each key once";
                return Err(SyntaxError::plain(line, key_on(self.text, line, ':'), what));
            }
            self.lines.add(&path, line);
            let item = self.next()?;
            let value = self.value(&path, item, below)?;
            values.insert(key, value);
        }
    }
}
