//! Parses and validates a state in the JSON file of an incident.

use serde::Deserialize;

use crate::{
    incident::{
        Behaviour,
        behaviour::{FaultKind, FaultShare},
        field_error::FieldError,
        file_range::RawRange,
        sample::SampleRange,
    },
    reply::WORDS,
};

/// The behaviour of a provider in a state, not validated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawState {
    #[serde(default)]
    answer: RawAnswer,
    #[serde(default)]
    mix: Vec<RawPart>,
    #[serde(default)]
    capacity: Option<RawRange>,
    #[serde(default)]
    over: Vec<RawPart>,
    #[serde(default)]
    kept: Option<RawKept>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAnswer {
    first_content_s: Option<RawRange>,
    rest_s: Option<RawRange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPart {
    share: f64,
    is: RawFaultKind,
    tool: Option<String>,
    after_s: Option<RawRange>,
    status: Option<u16>,
    code: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    retry_after_s: Option<RawRange>,
    first_content_s: Option<RawRange>,
    after_words: Option<RawRange>,
    for_s: Option<RawRange>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawFaultKind {
    Status,
    Slow,
    Cut,
    Stall,
    ErrorEvent,
    Silence,
    Refused,
    Reset,
}

/// The fault of idle connections.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawKept {
    Reset,
}

/// The default seconds until the first content.
const FIRST_CONTENT: SampleRange = SampleRange::new(0.3, 0.9);
/// The default seconds from the first content to the end.
const REST: SampleRange = SampleRange::new(1.0, 3.0);
const NO_DELAY: SampleRange = SampleRange::new(0.0, 0.0);
/// An hour, in seconds: more than any client waits.
const MAX_SECONDS: f64 = 3600.0;

// === impl RawState ===

impl RawState {
    pub(super) fn check(self, field: &str) -> Result<Behaviour, FieldError> {
        let seconds = |name: &str, span: Option<RawRange>, default: SampleRange| match span {
            Some(span) => span.rising(&format!("{field}.answer.{name}"), MAX_SECONDS),
            None => Ok(default),
        };
        let capacity = self.capacity.map(|span| span.check(&format!("{field}.capacity"), 1e6));
        Ok(Behaviour {
            first: seconds("first_content_s", self.answer.first_content_s, FIRST_CONTENT)?,
            rest: seconds("rest_s", self.answer.rest_s, REST)?,
            mix: parts(&format!("{field}.mix"), self.mix)?,
            capacity: capacity.transpose()?,
            over: over(&format!("{field}.over"), self.over)?,
            replaces_node: matches!(self.kept, Some(RawKept::Reset)),
        })
    }
}

/// The faults of attempts above a capacity.
fn over(field: &str, raw: Vec<RawPart>) -> Result<Vec<FaultShare>, FieldError> {
    let over = parts(field, raw)?;
    if let Some(n) = over.iter().position(|part| part.tool.is_some()) {
        let allowed = "nothing above a capacity, which is for all attempts";
        return Err(FieldError::new(format!("{field}[{n}].tool"), "given", allowed));
    }
    if let Some(n) = over.iter().position(|part| part.kind == FaultKind::Refused) {
        // A listener is closed for all attempts or for none; it cannot count them.
        let field = format!("{field}[{n}].is");
        return Err(FieldError::new(field, "refused", "anything but refused above a capacity"));
    }
    let sum = sum(&over);
    if !over.is_empty() && (sum - 1.0).abs() > 1e-9 {
        return Err(FieldError::new(field, sum, "shares that make 1"));
    }
    Ok(over)
}

fn parts(field: &str, raw: Vec<RawPart>) -> Result<Vec<FaultShare>, FieldError> {
    let part = |(n, part): (usize, RawPart)| part.check(&format!("{field}[{n}]"));
    let parts: Vec<_> = raw.into_iter().enumerate().map(part).collect::<Result<_, _>>()?;
    let sum = sum(&parts);
    if sum > 1.0 + 1e-9 {
        return Err(FieldError::new(field, sum, "shares that make at most 1"));
    }
    Ok(parts)
}

fn sum(parts: &[FaultShare]) -> f64 {
    parts.iter().map(|part| part.share).sum()
}

// === impl RawPart ===

impl RawPart {
    fn check(self, field: &str) -> Result<FaultShare, FieldError> {
        if !(self.share > 0.0 && self.share <= 1.0) {
            let field = format!("{field}.share");
            return Err(FieldError::new(field, self.share, "above 0 and at most 1"));
        }
        self.reject_other_fields(field)?;
        let after = seconds(field, "after_s", self.after_s)?.unwrap_or(NO_DELAY);
        let (share, tool) = (self.share, self.tool.as_deref().map(Into::into));
        Ok(FaultShare { share, tool, after, kind: self.fault(field)? })
    }

    fn fault(self, field: &str) -> Result<FaultKind, FieldError> {
        Ok(match self.is {
            RawFaultKind::Status => FaultKind::Status {
                status: self.status(field)?,
                retry_after: seconds(field, "retry_after_s", self.retry_after_s)?,
                code: self.code.unwrap_or_default(),
                kind: self.kind.unwrap_or_default(),
            },
            RawFaultKind::Slow => {
                let first = seconds(field, "first_content_s", self.first_content_s)?;
                FaultKind::Slow { first: required(first, field, "first_content_s")? }
            }
            RawFaultKind::Cut => FaultKind::Cut { words: self.words(field)? },
            RawFaultKind::Stall => {
                let lasts = seconds(field, "for_s", self.for_s)?;
                FaultKind::Stall { words: self.words(field)?, lasts }
            }
            RawFaultKind::ErrorEvent => FaultKind::ErrorEvent { words: self.words(field)? },
            RawFaultKind::Silence => FaultKind::Silence,
            RawFaultKind::Refused => FaultKind::Refused,
            RawFaultKind::Reset => FaultKind::Reset,
        })
    }

    /// Rejects a field that has no meaning for this kind of fault.
    fn reject_other_fields(&self, field: &str) -> Result<(), FieldError> {
        let has_delay = !matches!(self.is, RawFaultKind::Silence | RawFaultKind::Refused);
        let has_words =
            matches!(self.is, RawFaultKind::Cut | RawFaultKind::Stall | RawFaultKind::ErrorEvent);
        let has_status = self.is == RawFaultKind::Status;
        if self.tool.as_deref().is_some_and(|tool| !(1..=64).contains(&tool.len())) {
            let tool = self.tool.as_deref().unwrap_or_default();
            return Err(FieldError::new(format!("{field}.tool"), tool, "a name of 1 to 64 bytes"));
        }
        let fields = [
            // A listener cannot know which attempts have a tool.
            ("tool", self.tool.is_some() && self.is == RawFaultKind::Refused),
            ("after_s", self.after_s.is_some() && !has_delay),
            ("status", self.status.is_some() && !has_status),
            ("code", self.code.is_some() && !has_status),
            ("type", self.kind.is_some() && !has_status),
            ("retry_after_s", self.retry_after_s.is_some() && !has_status),
            ("first_content_s", self.first_content_s.is_some() && self.is != RawFaultKind::Slow),
            ("after_words", self.after_words.is_some() && !has_words),
            ("for_s", self.for_s.is_some() && self.is != RawFaultKind::Stall),
        ];
        match fields.iter().find(|(_, is_wrong)| *is_wrong) {
            Some((name, _)) => {
                let allowed = format!("nothing where is says {:?}", self.is);
                Err(FieldError::new(format!("{field}.{name}"), "given", allowed))
            }
            None => Ok(()),
        }
    }

    fn status(&self, field: &str) -> Result<u16, FieldError> {
        let status = required(self.status, field, "status")?;
        if (200..=999).contains(&status) {
            return Ok(status);
        }
        Err(FieldError::new(format!("{field}.status"), status, "200 to 999"))
    }

    fn words(&self, field: &str) -> Result<SampleRange, FieldError> {
        let words = required(self.after_words, field, "after_words")?;
        let all = WORDS.split(' ').count() as f64;
        words.rising(&format!("{field}.after_words"), all)
    }
}

fn required<T>(value: Option<T>, field: &str, name: &str) -> Result<T, FieldError> {
    value.ok_or_else(|| FieldError::new(format!("{field}.{name}"), "missing", "a value"))
}

fn seconds(
    field: &str,
    name: &str,
    span: Option<RawRange>,
) -> Result<Option<SampleRange>, FieldError> {
    span.map(|span| span.rising(&format!("{field}.{name}"), MAX_SECONDS)).transpose()
}
