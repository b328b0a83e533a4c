//! What the JSON file of an incident says of a state.

use serde::Deserialize;

use crate::{
    incident::{
        Behaviour,
        behaviour::{Part, Wrong},
        draw::Span,
        field_error::FieldError,
        file_span::RawSpan,
    },
    reply::WORDS,
};

/// What a provider does in a state.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawState {
    #[serde(default)]
    answer: RawAnswer,
    #[serde(default)]
    mix: Vec<RawPart>,
    #[serde(default)]
    capacity: Option<RawSpan>,
    #[serde(default)]
    over: Vec<RawPart>,
    #[serde(default)]
    kept: Option<RawKept>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAnswer {
    first_content_s: Option<RawSpan>,
    rest_s: Option<RawSpan>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPart {
    share: f64,
    is: Is,
    tool: Option<String>,
    after_s: Option<RawSpan>,
    status: Option<u16>,
    code: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    retry_after_s: Option<RawSpan>,
    first_content_s: Option<RawSpan>,
    after_words: Option<RawSpan>,
    for_s: Option<RawSpan>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Is {
    Status,
    Slow,
    Cut,
    Stall,
    ErrorEvent,
    Silence,
    Refused,
    Reset,
}

/// What becomes of connections that are kept.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawKept {
    Reset,
}

const FIRST: Span = Span::new(0.3, 0.9);
const REST: Span = Span::new(1.0, 3.0);
const AT_ONCE: Span = Span::new(0.0, 0.0);
/// An hour: more than any client waits.
const LONGEST: f64 = 3600.0;

// === impl RawState ===

impl RawState {
    pub(super) fn check(self, field: &str) -> Result<Behaviour, FieldError> {
        let seconds = |name: &str, span: Option<RawSpan>, default: Span| match span {
            Some(span) => span.rising(&format!("{field}.answer.{name}"), LONGEST),
            None => Ok(default),
        };
        let capacity = self.capacity.map(|span| span.check(&format!("{field}.capacity"), 1e6));
        Ok(Behaviour {
            first: seconds("first_content_s", self.answer.first_content_s, FIRST)?,
            rest: seconds("rest_s", self.answer.rest_s, REST)?,
            mix: parts(&format!("{field}.mix"), self.mix)?,
            capacity: capacity.transpose()?,
            over: over(&format!("{field}.over"), self.over)?,
            replaces_node: matches!(self.kept, Some(RawKept::Reset)),
        })
    }
}

/// What becomes of attempts above a capacity.
fn over(field: &str, raw: Vec<RawPart>) -> Result<Vec<Part>, FieldError> {
    let over = parts(field, raw)?;
    if let Some(n) = over.iter().position(|part| part.tool.is_some()) {
        let allowed = "nothing above a capacity, which is for all attempts";
        return Err(FieldError::new(format!("{field}[{n}].tool"), "given", allowed));
    }
    if let Some(n) = over.iter().position(|part| part.what == Wrong::Refused) {
        // A listener is closed for all or for none; it cannot know who is one too many.
        let field = format!("{field}[{n}].is");
        return Err(FieldError::new(field, "refused", "anything but refused above a capacity"));
    }
    let sum = sum(&over);
    if !over.is_empty() && (sum - 1.0).abs() > 1e-9 {
        return Err(FieldError::new(field, sum, "shares that make 1"));
    }
    Ok(over)
}

fn parts(field: &str, raw: Vec<RawPart>) -> Result<Vec<Part>, FieldError> {
    let part = |(n, part): (usize, RawPart)| part.check(&format!("{field}[{n}]"));
    let parts: Vec<_> = raw.into_iter().enumerate().map(part).collect::<Result<_, _>>()?;
    let sum = sum(&parts);
    if sum > 1.0 + 1e-9 {
        return Err(FieldError::new(field, sum, "shares that make at most 1"));
    }
    Ok(parts)
}

fn sum(parts: &[Part]) -> f64 {
    parts.iter().map(|part| part.share).sum()
}

// === impl RawPart ===

impl RawPart {
    fn check(self, field: &str) -> Result<Part, FieldError> {
        if !(self.share > 0.0 && self.share <= 1.0) {
            let field = format!("{field}.share");
            return Err(FieldError::new(field, self.share, "above 0 and at most 1"));
        }
        self.strangers(field)?;
        let after = seconds(field, "after_s", self.after_s)?.unwrap_or(AT_ONCE);
        let (share, tool) = (self.share, self.tool.as_deref().map(Into::into));
        Ok(Part { share, tool, after, what: self.wrong(field)? })
    }

    fn wrong(self, field: &str) -> Result<Wrong, FieldError> {
        Ok(match self.is {
            Is::Status => Wrong::Status {
                status: self.status(field)?,
                retry_after: seconds(field, "retry_after_s", self.retry_after_s)?,
                code: self.code.unwrap_or_default(),
                kind: self.kind.unwrap_or_default(),
            },
            Is::Slow => {
                let first = seconds(field, "first_content_s", self.first_content_s)?;
                Wrong::Slow { first: needed(first, field, "first_content_s")? }
            }
            Is::Cut => Wrong::Cut { words: self.words(field)? },
            Is::Stall => {
                let lasts = seconds(field, "for_s", self.for_s)?;
                Wrong::Stall { words: self.words(field)?, lasts }
            }
            Is::ErrorEvent => Wrong::ErrorEvent { words: self.words(field)? },
            Is::Silence => Wrong::Silence,
            Is::Refused => Wrong::Refused,
            Is::Reset => Wrong::Reset,
        })
    }

    /// Refuses a field that says nothing about what goes wrong here.
    fn strangers(&self, field: &str) -> Result<(), FieldError> {
        let at_all = !matches!(self.is, Is::Silence | Is::Refused);
        let words = matches!(self.is, Is::Cut | Is::Stall | Is::ErrorEvent);
        let status = self.is == Is::Status;
        if self.tool.as_deref().is_some_and(|tool| !(1..=64).contains(&tool.len())) {
            let tool = self.tool.as_deref().unwrap_or_default();
            return Err(FieldError::new(format!("{field}.tool"), tool, "a name of 1 to 64 bytes"));
        }
        let strange = [
            // A listener cannot know who will bring a tool.
            ("tool", self.tool.is_some() && self.is == Is::Refused),
            ("after_s", self.after_s.is_some() && !at_all),
            ("status", self.status.is_some() && !status),
            ("code", self.code.is_some() && !status),
            ("type", self.kind.is_some() && !status),
            ("retry_after_s", self.retry_after_s.is_some() && !status),
            ("first_content_s", self.first_content_s.is_some() && self.is != Is::Slow),
            ("after_words", self.after_words.is_some() && !words),
            ("for_s", self.for_s.is_some() && self.is != Is::Stall),
        ];
        match strange.iter().find(|(_, strange)| *strange) {
            Some((name, _)) => {
                let allowed = format!("nothing where is says {:?}", self.is);
                Err(FieldError::new(format!("{field}.{name}"), "given", allowed))
            }
            None => Ok(()),
        }
    }

    fn status(&self, field: &str) -> Result<u16, FieldError> {
        let status = needed(self.status, field, "status")?;
        if (200..=999).contains(&status) {
            return Ok(status);
        }
        Err(FieldError::new(format!("{field}.status"), status, "200 to 999"))
    }

    fn words(&self, field: &str) -> Result<Span, FieldError> {
        let words = needed(self.after_words, field, "after_words")?;
        let all = WORDS.split(' ').count() as f64;
        words.rising(&format!("{field}.after_words"), all)
    }
}

fn needed<T>(value: Option<T>, field: &str, name: &str) -> Result<T, FieldError> {
    value.ok_or_else(|| FieldError::new(format!("{field}.{name}"), "missing", "a value"))
}

fn seconds(field: &str, name: &str, span: Option<RawSpan>) -> Result<Option<Span>, FieldError> {
    span.map(|span| span.rising(&format!("{field}.{name}"), LONGEST)).transpose()
}
