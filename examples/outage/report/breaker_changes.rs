//! The changes of the breakers in words: when, why, for how long, and what each means.

use std::{collections::BTreeMap, time::Duration};

use evenkeel::breaker::TransitionReason;

use super::{
    super::{breaker_log::BreakerChange, clock::IncidentClock, play::RunResult},
    breaker::{BreakerTrack, tracks},
    html::escape,
};

/// A state of a breaker over some time. Probes that fail one after another are one span, because an outage has hundreds.
#[derive(Debug, PartialEq)]
struct ExplainedSpan {
    from: Duration,
    state: &'static str,
    text: String,
}

/// Probes one after another, each of which opened the breaker again.
#[derive(Debug, Default)]
struct FailedProbes {
    /// The number of failed probes for each reason.
    reasons: BTreeMap<&'static str, usize>,
    /// The times for which the breaker opened again.
    opened_for: Vec<Duration>,
}

/// A table of changes for each breaker.
pub(super) fn tables(result: &RunResult) -> String {
    let clock = IncidentClock::new(&result.plan);
    let end = result.plan.played.length();
    tracks(&result.changes).iter().map(|track| table(track, &clock, end)).collect()
}

fn table(track: &BreakerTrack, clock: &IncidentClock, end: Duration) -> String {
    let name = escape(&format!("{}: {}", track.client, track.name));
    let spans = explain(&track.changes);
    if spans.is_empty() {
        return format!(
            "<p class=\"note\">{name}: closed throughout. It let every call through.</p>\n"
        );
    }
    let ends =
        spans.iter().skip(1).map(|span| span.from).chain([end.max(spans[spans.len() - 1].from)]);
    let rows: String = spans.iter().zip(ends).map(|(span, end)| span.row(clock, end)).collect();
    let changes = match track.changes.len() {
        1 => "1 change".into(),
        n => format!("{n} changes"),
    };
    format!(
        "<details class=\"changes\"><summary>{name}: {changes}</summary>\n<table><thead><tr><th>from</th><th>state</th>\
         <th>for</th><th>why, and what it means</th></tr></thead>\n<tbody>{rows}</tbody></table></details>\n"
    )
}

/// The spans of a breaker from its first change on.
fn explain(changes: &[BreakerChange]) -> Vec<ExplainedSpan> {
    let mut spans = Vec::new();
    let mut changes = changes.iter().peekable();
    while let Some(change) = changes.next() {
        let mut probes = FailedProbes::default();
        // A probe that fails opens the breaker again; the next change is the next probe.
        while let Some(reopened) =
            changes.next_if(|next| change.to == "half_open" && probes.is_failure(next))
        {
            probes.add(reopened);
            changes.next_if(|next| next.to == "half_open");
        }
        // Between the probes the breaker is open, which is most of the time.
        let state = if probes.opened_for.is_empty() { change.to } else { "open" };
        spans.push(ExplainedSpan { from: change.at, state, text: text(change, &probes) });
    }
    spans
}

/// The reason for a change and its meaning.
fn text(change: &BreakerChange, probes: &FailedProbes) -> String {
    let why = change.reason.description();
    match (change.to, change.lasts) {
        ("open", Some(lasts)) => {
            format!(
                "It opened for {}, because {why}. No call is sent to it, so that it gets no load.",
                seconds(lasts)
            )
        }
        ("half_open", _) => format!(
            "One call at a time is sent to it as a probe, because {why}. {}",
            probes.describe()
        ),
        ("recovering", _) => format!(
            "A growing share of the calls is sent to it, because {why}. The whole load at once could bring it down again."
        ),
        ("closed", _) => format!("Every call is sent to it, because {why}."),
        _ => format!("It changed because {why}."),
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

// === impl ExplainedSpan ===

impl ExplainedSpan {
    fn row(&self, clock: &IncidentClock, end: Duration) -> String {
        let lasted = clock.original(end).saturating_sub(clock.original(self.from));
        let lasted = match lasted.as_secs() {
            0..=119 => seconds(lasted),
            long => format!("{} min", long / 60),
        };
        format!(
            "<tr><td>{}</td><td><i class=\"{state}\"></i>{}</td><td>{lasted}</td><td>{}</td></tr>\n",
            clock.exact_label(clock.original(self.from)),
            self.state.replace('_', "-"),
            self.text,
            state = self.state,
        )
    }
}

// === impl FailedProbes ===

impl FailedProbes {
    fn is_failure(&self, change: &BreakerChange) -> bool {
        let by_probe = matches!(
            change.reason,
            TransitionReason::ProbeFailed
                | TransitionReason::ProbeSlow
                | TransitionReason::ProbeHung
                | TransitionReason::ProbeDropped
        );
        change.to == "open" && by_probe
    }

    fn add(&mut self, reopened: &BreakerChange) {
        *self.reasons.entry(reopened.reason.description()).or_default() += 1;
        self.opened_for.extend(reopened.lasts);
    }

    fn describe(&self) -> String {
        let times = |(reason, count): (&&str, &usize)| match count {
            1 => format!("once {reason}"),
            count => format!("{count} times {reason}"),
        };
        let reasons: Vec<_> = self.reasons.iter().map(times).collect();
        let (Some(least), Some(most)) =
            (self.opened_for.iter().min(), self.opened_for.iter().max())
        else {
            return "A probe that is answered shows that it has recovered.".into();
        };
        let again = match self.opened_for.len() {
            1 => format!("It opened again for {}", seconds(*least)),
            _ => {
                format!("Each time it opened again, for {} to {}", seconds(*least), seconds(*most))
            }
        };
        format!("It was still down: {}. {again}, and then sent the next probe.", reasons.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(
        at: u64,
        to: &'static str,
        reason: TransitionReason,
        lasts: Option<u64>,
    ) -> BreakerChange {
        BreakerChange {
            at: Duration::from_secs(at),
            client: "evenkeel".into(),
            primary: true,
            model: "model-1".into(),
            to,
            reason,
            lasts: lasts.map(Duration::from_secs),
        }
    }

    #[test]
    fn failed_probes_are_one_span_with_their_reasons() {
        use TransitionReason::*;
        let changes = [
            change(10, "open", Consecutive, Some(5)),
            change(15, "half_open", Waited, None),
            change(16, "open", ProbeFailed, Some(10)),
            change(26, "half_open", Waited, None),
            change(31, "open", ProbeHung, Some(30)),
            change(61, "half_open", Waited, None),
            change(62, "open", ProbeFailed, Some(30)),
            change(92, "half_open", Waited, None),
            change(93, "recovering", ProbesPassed, None),
            change(113, "closed", Recovered, None),
        ];
        let spans = explain(&changes);
        let states: Vec<_> = spans.iter().map(|span| (span.from.as_secs(), span.state)).collect();
        assert_eq!(states, [(10, "open"), (15, "open"), (93, "recovering"), (113, "closed")]);
        assert!(
            spans[0].text.contains("for 5.0 s, because its attempts failed in a row"),
            "{}",
            spans[0].text
        );
        let probes = &spans[1].text;
        assert!(
            probes.contains("2 times the probe failed, once the probe had no answer"),
            "{probes}"
        );
        assert!(probes.contains("for 10.0 s to 30.0 s"), "{probes}");
    }

    #[test]
    fn a_breaker_that_opens_again_while_it_recovers_has_a_span_of_its_own() {
        use TransitionReason::*;
        let changes = [
            change(1, "half_open", Waited, None),
            change(2, "recovering", ProbesPassed, None),
            change(3, "open", Ratio, Some(9)),
        ];
        let spans = explain(&changes);
        assert_eq!(spans.len(), 3);
        assert!(spans[2].text.contains("too many of its calls failed"), "{}", spans[2].text);
    }
}
