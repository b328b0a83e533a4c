//! The table of a rehearsal, for a terminal.

use std::{fmt, time::Duration};

use super::{Finding, Rehearsal, RehearsedTarget};
use crate::{
    Error,
    telemetry::{EditSummary, SkipReason},
};

/// The columns before the result, which may be of any width.
const COLUMNS: usize = 4;
const HEAD: [&str; COLUMNS] = ["target", "route", "head", "answer"];

// === impl Rehearsal ===

impl fmt::Display for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<_> = self.iter().map(RehearsedTarget::cells).collect();
        if rows.is_empty() {
            let why = "the request cannot be built, its options are wrong, or its body streams";
            return write!(f, "nothing was asked: {why}");
        }
        let width = |at: usize| {
            let cells = rows.iter().map(|row| row[at].chars().count());
            cells.chain([HEAD[at].len()]).max().unwrap_or_default()
        };
        let widths: [usize; COLUMNS] = std::array::from_fn(width);
        for (name, width) in HEAD.into_iter().zip(widths) {
            write!(f, "{name:width$}  ")?;
        }
        f.write_str("result")?;
        for (row, target) in rows.iter().zip(self) {
            f.write_str("\n")?;
            for (cell, width) in row.iter().zip(widths) {
                write!(f, "{cell:width$}  ")?;
            }
            write!(f, "{target}")?;
        }
        Ok(())
    }
}

// === impl RehearsedTarget ===

impl RehearsedTarget {
    fn cells(&self) -> [String; COLUMNS] {
        let name = match self.target {
            Some(target) => format!("{} [{target}]", self.name),
            None => self.name.to_string(),
        };
        let time = |time: Option<Duration>| {
            time.map_or_else(|| "-".into(), |time| format!("{} ms", time.as_millis()))
        };
        let route = self.route.as_ref().map_or_else(|| "-".into(), ToString::to_string);
        [name, route, time(self.head_after), time(self.answer_after)]
    }
}

/// The result alone.
impl fmt::Display for RehearsedTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.finding {
            Finding::Answered => f.write_str("ok")?,
            Finding::Failed(verdict) => {
                write!(f, "FAILED: {}", Error::new(verdict.clone()))?;
                if let Some(status) = self.status {
                    write!(f, ", status {}", status.as_u16())?;
                }
            }
            Finding::Skipped { reason, shortfalls } => skipped(f, *reason, shortfalls)?,
            Finding::Rendered => f.write_str("ok: the reply was made")?,
            Finding::NotRendered(fault) => write!(f, "FAILED: {fault}")?,
            Finding::NotAsked => f.write_str("not asked: it has no target")?,
        }
        if let Some(hint) = self.hint() {
            write!(f, "; {hint}")?;
        }
        edited(f, &self.edits)
    }
}

fn skipped(
    f: &mut fmt::Formatter<'_>,
    reason: SkipReason,
    shortfalls: &[super::Shortfall],
) -> fmt::Result {
    f.write_str("SKIPPED: ")?;
    for (n, short) in shortfalls.iter().enumerate() {
        write!(f, "{}{short}", if n == 0 { "the request needs " } else { ", " })?;
    }
    match reason {
        _ if !shortfalls.is_empty() => Ok(()),
        SkipReason::Bound => {
            f.write_str("the request is bound to the account or model of the first target")
        }
        SkipReason::Unchanged => f.write_str("its edit changes nothing in this request"),
        _ => f.write_str("the request does not fit"),
    }
}

/// What was changed, in a few words.
fn edited(f: &mut fmt::Formatter<'_>, edits: &EditSummary) -> fmt::Result {
    if !edits.changed {
        return Ok(());
    }
    let counted = [
        (edits.tools.len(), "tools dropped"),
        (edits.turns, "turns dropped"),
        (edits.images, "images replaced"),
        (edits.reasoning, "turns without their reasoning"),
    ];
    let mut parts: Vec<_> = counted
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    parts.extend(edits.capped.then(|| "answer limited".into()));
    parts.extend(edits.unstreamed.then(|| "not streamed".into()));
    parts
        .extend((!edits.fields.is_empty()).then(|| format!("changed: {}", edits.fields.join(" "))));
    if parts.is_empty() { Ok(()) } else { write!(f, " ({})", parts.join(", ")) }
}
