//! Server-sent events, decoded from bytes that may be split anywhere.

#[cfg(test)]
mod tests;

use memchr::memchr2;

/// Reads server-sent events.
///
/// An event that lies in one piece of bytes is lent as it is; only what is split over pieces is copied.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// A line whose end has not come.
    line: Vec<u8>,
    /// The data of the event under way, as far as it had to be copied.
    data: Vec<u8>,
    has_data: bool,
    name: Vec<u8>,
    state: State,
    /// The last byte was a carriage return: a line feed right after it belongs to it.
    after_cr: bool,
    framed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No line has ended yet: a byte order mark may stand before the first.
    Start,
    Open,
    /// An event was too large: nothing is read any more.
    Dead,
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event<'a> {
    /// Its `event:` name; empty where it has none.
    pub(crate) name: &'a [u8],
    /// Its data lines, joined by line feeds.
    pub(crate) data: &'a [u8],
}

/// A line, or the data of an event, is larger than [`Decoder::MOST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// What a line means.
enum Line<'a> {
    Nothing,
    Data(&'a [u8]),
    End,
}

// === impl Decoder ===

impl Decoder {
    /// The largest line and the largest event, in bytes. An image in base64 is one event of some providers, so this is
    /// far above any text.
    pub(crate) const MOST: usize = 16 * 1024 * 1024;
    /// Buffers that have grown past this are given back once the event is read.
    const KEEP: usize = 64 * 1024;

    pub(crate) fn new() -> Self {
        Self {
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            name: Vec::new(),
            state: State::Start,
            after_cr: false,
            framed: false,
        }
    }

    /// Whether anything so far was a server-sent event, or a comment: otherwise these bytes are something else.
    pub(crate) fn is_framed(&self) -> bool {
        self.framed
    }

    /// Whether the next byte is the first of an event.
    pub(crate) fn is_between(&self) -> bool {
        let Self { line, has_data, name, state, after_cr, .. } = self;
        *state == State::Open && line.is_empty() && !has_data && name.is_empty() && !after_cr
    }

    /// Reads the next bytes and calls `each` with every event that ends in them.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Event<'_>),
    ) -> Result<(), TooLarge> {
        if self.state == State::Dead {
            return Err(TooLarge);
        }
        let mut rest = bytes;
        if let (true, Some(first)) = (self.after_cr, rest.first()) {
            self.after_cr = false;
            rest = if *first == b'\n' { &rest[1..] } else { rest };
        }
        // The one data line of the event under way, as long as it need not be copied.
        let mut lent: Option<&[u8]> = None;
        while let Some(end) = memchr2(b'\n', b'\r', rest) {
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            rest = match (rest[end], after.first()) {
                (b'\r', Some(b'\n')) => &after[1..],
                (b'\r', None) => {
                    self.after_cr = true;
                    after
                }
                _ => after,
            };
            if !self.line.is_empty() {
                self.end_kept_line(line, &mut each)?;
                continue;
            }
            match self.read(line)? {
                Line::Nothing => {}
                Line::Data(data) if lent.is_none() && !self.has_data => lent = Some(data),
                Line::Data(data) => {
                    self.keep_lent(&mut lent)?;
                    self.keep(data)?;
                }
                Line::End => self.end(lent.take(), &mut each),
            }
        }
        self.keep_lent(&mut lent)?;
        self.keep_line(rest)
    }

    /// The bytes are over: an event whose blank line never came is read all the same.
    pub(crate) fn finish(&mut self, mut each: impl FnMut(Event<'_>)) {
        if self.state == State::Dead {
            return;
        }
        let line = std::mem::take(&mut self.line);
        let kept = match self.read(&line) {
            Ok(Line::Data(data)) => self.keep(data),
            _ => Ok(()),
        };
        if kept.is_ok() {
            self.end(None, &mut each);
        }
        self.state = State::Dead;
    }

    /// The end of a line that began in earlier bytes.
    fn end_kept_line(
        &mut self,
        end: &[u8],
        each: &mut impl FnMut(Event<'_>),
    ) -> Result<(), TooLarge> {
        self.keep_line(end)?;
        let mut line = std::mem::take(&mut self.line);
        match self.read(&line)? {
            Line::Nothing => {}
            Line::Data(data) => self.keep(data)?,
            // A byte order mark alone.
            Line::End => self.end(None, each),
        }
        line.clear();
        line.shrink_to(Self::KEEP);
        self.line = line;
        Ok(())
    }

    /// Reads one line without its end.
    fn read<'a>(&mut self, mut line: &'a [u8]) -> Result<Line<'a>, TooLarge> {
        if line.len() > Self::MOST {
            return Err(self.die());
        }
        if self.state == State::Start {
            line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
            self.state = State::Open;
        }
        if line.is_empty() {
            return Ok(Line::End);
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &line[..0]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        // A comment has an empty name. Names of other fields are skipped.
        self.framed |= matches!(field, b"" | b"data" | b"event" | b"id" | b"retry");
        match field {
            b"data" => return Ok(Line::Data(value)),
            b"event" => {
                self.name.clear();
                self.name.extend_from_slice(value);
            }
            _ => {}
        }
        Ok(Line::Nothing)
    }

    /// A blank line: the event is whole.
    fn end(&mut self, lent: Option<&[u8]>, each: &mut impl FnMut(Event<'_>)) {
        if let Some(data) = lent {
            each(Event { name: &self.name, data });
        } else if self.has_data {
            each(Event { name: &self.name, data: &self.data });
            self.has_data = false;
            self.data.clear();
            self.data.shrink_to(Self::KEEP);
        }
        self.name.clear();
        self.name.shrink_to(Self::KEEP);
    }

    fn keep_lent(&mut self, lent: &mut Option<&[u8]>) -> Result<(), TooLarge> {
        lent.take().map_or(Ok(()), |data| self.keep(data))
    }

    /// Copies a data line.
    fn keep(&mut self, data: &[u8]) -> Result<(), TooLarge> {
        if self.data.len() + data.len() >= Self::MOST {
            return Err(self.die());
        }
        if self.has_data {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(data);
        self.has_data = true;
        Ok(())
    }

    /// Copies a part of a line.
    fn keep_line(&mut self, part: &[u8]) -> Result<(), TooLarge> {
        if self.line.len() + part.len() > Self::MOST {
            return Err(self.die());
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn die(&mut self) -> TooLarge {
        *self = Self { state: State::Dead, framed: self.framed, ..Self::new() };
        TooLarge
    }
}
