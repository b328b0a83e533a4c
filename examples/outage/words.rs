//! Figures in words: computed, whatever they are.

use evenkeel_testkit::{Figures, Incident, scenario::Report};

use super::clients::{NAMES, RUNGS};

/// `42 783`
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n) % 3 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// `43.7 %`: all and none only where it is all or none.
pub(crate) fn share(part: u64, of: u64) -> String {
    match part {
        0 => "0 %".into(),
        _ if part == of => "100 %".into(),
        _ => {
            let percent = 100.0 * part as f64 / of.max(1) as f64;
            let near = if part > of { percent } else { percent.clamp(0.1, 99.9) };
            format!("{near:.1} %")
        }
    }
}

/// `2.6 s`, `33 s`, `4.2 min`
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        0.0 => "0 s".into(),
        ..0.095 => format!("{seconds:.2} s"),
        ..9.95 => format!("{seconds:.1} s"),
        ..600.0 => format!("{seconds:.0} s"),
        _ => format!("{:.0} min", seconds / 60.0),
    }
}

/// How soon each outage was noticed.
pub(crate) fn noticed(figures: &Figures) -> String {
    times(&figures.detect_s, |_| "never".into())
}

/// How soon the primary was in use again after each outage; where it was not, how long there was time for it.
pub(crate) fn back(figures: &Figures, incident: &Incident) -> String {
    let mut out = false;
    let mut ends = Vec::new();
    for phase in incident.primary() {
        if phase.state.is_healthy() && std::mem::take(&mut out) {
            ends.push(phase.length().as_secs_f64());
        }
        out |= phase.state.is_down();
    }
    times(&figures.recover_s, |n| match ends.get(n) {
        Some(length) => format!("not within {}", seconds(*length)),
        None => "never".into(),
    })
}

fn times(list: &[Option<f64>], otherwise: impl Fn(usize) -> String) -> String {
    let one = |(n, time): (usize, &Option<f64>)| time.map_or_else(|| otherwise(n), seconds);
    let mut words: Vec<String> = list.iter().enumerate().map(one).collect();
    if words.windows(2).all(|pair| pair[0] == pair[1]) {
        words.truncate(1);
    }
    if words.is_empty() { "–".into() } else { words.join(", ") }
}

/// The calls that came to no answer at all.
pub(crate) fn nothing(figures: &Figures) -> u64 {
    figures.error + figures.hung
}

/// The calls that came to an answer.
pub(crate) fn answered(figures: &Figures) -> u64 {
    figures.calls - nothing(figures)
}

/// The attempts on a primary that was down, for each call of that time; `None` where there was none.
pub(crate) fn pressure(figures: &Figures) -> Option<f64> {
    let calls = figures.calls_down as f64;
    (calls > 0.0).then(|| figures.attempts_primary_down as f64 / calls)
}

/// The story in one sentence.
pub(crate) fn headline(report: &Report) -> String {
    let [plain, _, evenkeel] = three(report);
    if plain.calls == 0 {
        return "No call was made: the rate is too low for an incident of this length.".into();
    }
    let left = match nothing(plain) {
        0 => "Every customer of the plain client got an answer.".into(),
        left if left == plain.calls => "No customer of the plain client got an answer.".into(),
        left => {
            format!("{} of the plain client’s customers got no answer.", share(left, plain.calls))
        }
    };
    let calls = count(evenkeel.calls);
    let kept = match nothing(evenkeel) {
        0 => format!("With evenkeel every one of {calls} did."),
        left if left == evenkeel.calls => format!("With evenkeel none of {calls} did."),
        left => format!("With evenkeel {} of {calls} did.", count(evenkeel.calls - left)),
    };
    format!("{left} {kept}")
}

/// What a customer saw, of a hundred.
pub(crate) fn closing(report: &Report) -> String {
    let [plain, retries, evenkeel] = three(report);
    if plain.calls == 0 {
        return headline(report);
    }
    let missed = |figures: &Figures| share(nothing(figures), figures.calls);
    let by = sources(evenkeel);
    let with = match nothing(evenkeel) {
        0 => "with evenkeel every customer got an answer".to_owned(),
        _ => format!("with evenkeel {} did; the others had their answers", missed(evenkeel)),
    };
    format!(
        "{} of the plain client's customers, and {} of those of a client with retries, saw an error or waited two minutes \
         in vain; {with}{by}.",
        missed(plain),
        missed(retries),
    )
}

/// Who answered evenkeel's customers: `: 40.3 % from the primary, …`
pub(crate) fn sources(figures: &Figures) -> String {
    let from = [
        (figures.primary, "from the primary"),
        (figures.secondary, "from the secondary"),
        (figures.stored, "a stored answer"),
        (figures.canned, "a canned reply"),
    ];
    let some = from.iter().filter(|(part, _)| *part > 0);
    let words: Vec<_> =
        some.map(|(part, word)| format!("{} {word}", share(*part, figures.calls))).collect();
    if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) }
}

/// The share of the calls with a tool that is gone which the primary answered without it.
pub(crate) fn without(figures: &Figures) -> Option<String> {
    let tools = figures.tools.filter(|tools| tools.calls > 0)?;
    Some(share(tools.primary_without, tools.calls))
}

/// The rungs of steps and how many answers each gave, from the top; `None` where it was not played.
pub(crate) fn rungs(report: &Report) -> Option<(&Figures, Vec<(&'static str, u64)>)> {
    let steps = report.clients.iter().find(|client| client.name == NAMES[3])?;
    let named: u64 = steps.rungs.values().sum();
    let first = answered(steps).saturating_sub(named);
    let below = RUNGS[1..].iter().map(|rung| (*rung, steps.rungs.get(*rung).copied().unwrap_or(0)));
    Some((steps, std::iter::once((RUNGS[0], first)).chain(below).collect()))
}

/// The first three clients, in their order.
pub(crate) fn three(report: &Report) -> [&Figures; 3] {
    [0, 1, 2].map(|n| &report.clients[n])
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::plan::Plan;

    /// A report of the first clients by hand: of each how many calls, errors and hung ones; the rest the primary answered.
    pub(crate) fn report<const N: usize>(clients: [[u64; 3]; N]) -> Report {
        let client = |(name, [calls, error, hung]): (&str, [u64; 3])| {
            let mut figures = Figures::default();
            figures.name = name.into();
            (figures.calls, figures.error, figures.hung) = (calls, error, hung);
            figures.primary = calls - error - hung;
            figures
        };
        let drill = Plan::new(Incident::openai_2024_06_04(), false, (1, 60.0)).drill();
        drill.report(NAMES.into_iter().zip(clients).map(client).collect())
    }

    #[test]
    fn numbers_are_read_easily() {
        assert_eq!([0, 999, 1000, 42_783].map(count), ["0", "999", "1 000", "42 783"]);
        assert_eq!(
            [0.0, 0.541, 2.6, 33.164, 4000.0].map(seconds),
            ["0 s", "0.5 s", "2.6 s", "33 s", "67 min"]
        );
    }

    #[test]
    fn nearly_all_is_not_all_and_nearly_none_is_not_none() {
        assert_eq!(
            [(0, 9), (9, 9), (1, 3)].map(|(part, of)| share(part, of)),
            ["0 %", "100 %", "33.3 %"]
        );
        assert_eq!((share(1, 42_783), share(42_782, 42_783)), ("0.1 %".into(), "99.9 %".into()));
    }

    #[test]
    fn the_headline_says_what_the_figures_say() {
        let said = |clients| headline(&report(clients));
        assert_eq!(
            said([[1000, 500, 63], [1000, 400, 100], [1000, 0, 0]]),
            "56.3 % of the plain client’s customers got no answer. With evenkeel every one of 1 000 did."
        );
        assert!(said([[9, 9, 0], [9, 9, 0], [9, 2, 0]]).ends_with("With evenkeel 7 of 9 did."));
        assert!(
            said([[9, 5, 4], [9, 9, 0], [9, 9, 0]]).starts_with("No customer of the plain client")
        );
        assert!(said([[9, 5, 4], [9, 9, 0], [9, 9, 0]]).ends_with("none of 9 did."));
        assert!(said([[9, 0, 0]; 3]).starts_with("Every customer of the plain client"));
        assert!(said([[0, 0, 0]; 3]).starts_with("No call was made"));
    }

    #[test]
    fn what_a_customer_saw_is_counted() {
        let said = closing(&report([[1000, 500, 63], [1000, 400, 100], [1000, 0, 0]]));
        assert!(said.starts_with("56.3 % of the plain client's customers, and 50.0 %"), "{said}");
        assert!(said.ends_with("every customer got an answer: 100 % from the primary."), "{said}");
        let said = closing(&report([[10, 5, 0], [10, 4, 0], [10, 1, 1]]));
        assert!(
            said.ends_with(
                "with evenkeel 20.0 % did; the others had their answers: 80.0 % from the primary."
            ),
            "{said}"
        );
    }

    #[test]
    fn the_first_rung_has_what_no_other_gave() {
        let mut report = report([[1000, 10, 0]; 4]);
        assert!(rungs(&self::report([[9, 0, 0]; 3])).is_none());
        report.clients[3].rungs = [(RUNGS[1].to_owned(), 300), (RUNGS[5].to_owned(), 1)].into();
        let (_, rungs) = rungs(&report).unwrap();
        let expected = [689, 300, 0, 0, 0, 1];
        assert!(rungs.into_iter().eq(RUNGS.into_iter().zip(expected)));
    }

    #[test]
    fn what_never_came_is_not_hidden() {
        let incident = Incident::openai_2024_06_04();
        let mut figures = Figures::default();
        assert_eq!((noticed(&figures), back(&figures, &incident)), ("–".into(), "–".into()));
        figures.detect_s = vec![None, None];
        figures.recover_s = vec![Some(33.2), None];
        assert_eq!(noticed(&figures), "never");
        assert_eq!(back(&figures, &incident), "33 s, not within 60 min");
    }
}
