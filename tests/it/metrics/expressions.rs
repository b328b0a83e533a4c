//! The names in PromQL expressions: metrics, labels, and the values that labels are compared with.

use std::collections::BTreeSet;

/// The names that an expression uses.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// Metrics, with the labels in their braces and the values compared with.
    pub(super) selectors: Vec<Selector>,
    /// The labels in `by`, `without`, `on`, `ignoring`, `group_left` and `group_right`.
    pub(super) grouping: BTreeSet<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) metric: String,
    pub(super) matchers: Vec<Matcher>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Matcher {
    pub(super) label: String,
    /// The alternatives of a regular expression, or the one value.
    pub(super) values: Vec<String>,
}

const GROUPING: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

// === impl Names ===

impl Names {
    pub(super) fn of(expression: &str) -> Self {
        let mut names = Self::default();
        let mut rest = expression;
        while let Some(start) =
            rest.find(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '"' || c == '[')
        {
            rest = &rest[start..];
            if rest.starts_with(['"', '[']) {
                let close = if rest.starts_with('"') { '"' } else { ']' };
                rest = rest[1..].split_once(close).expect("it is closed").1;
                continue;
            }
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
            let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
            rest = after.trim_start();
            if GROUPING.contains(&name) && rest.starts_with('(') {
                let (labels, after) = rest[1..].split_once(')').expect("it is closed");
                let labels = labels.split(',').map(str::trim).filter(|label| !label.is_empty());
                names.grouping.extend(labels.map(str::to_owned));
                rest = after;
            } else if ["evenkeel", "gen_ai"].iter().any(|prefix| name.starts_with(prefix)) {
                let matchers = match rest.strip_prefix('{') {
                    Some(inside) => {
                        let (inside, after) = split_braces(inside);
                        rest = after;
                        matchers(inside)
                    }
                    None => Vec::new(),
                };
                names.selectors.push(Selector { metric: name.to_owned(), matchers });
            }
        }
        names
    }
}

/// Splits at the brace that closes; one in quotes does not.
fn split_braces(text: &str) -> (&str, &str) {
    let mut quoted = false;
    let close = text.find(|c| {
        quoted ^= c == '"';
        c == '}' && !quoted
    });
    let close = close.expect("it is closed");
    (&text[..close], &text[close + 1..])
}

fn matchers(inside: &str) -> Vec<Matcher> {
    let mut matchers = Vec::new();
    let mut rest = inside;
    while let Some((before, after)) = rest.split_once('"') {
        let (value, after) = after.split_once('"').expect("it is closed");
        let label = before.trim_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let values = value.split('|').map(str::to_owned).collect();
        matchers.push(Matcher { label: label.to_owned(), values });
        rest = after;
    }
    matchers
}

#[test]
fn the_names_of_an_expression_are_found() {
    let names = Names::of(
        r#"sum by (job, le) (rate(evenkeel_a_total{job=~"$job", outcome!~"x|y}"}[5m])) / on () group_left (route) evenkeel:b:ratio5m > 0.1 unless without(z) gen_ai_c"#,
    );
    let matcher = |label: &str, values: &[&str]| Matcher {
        label: label.into(),
        values: values.iter().map(|value| (*value).into()).collect(),
    };
    let found: Vec<_> =
        names.selectors.iter().map(|it| (it.metric.as_str(), &it.matchers[..])).collect();
    let first = [matcher("job", &["$job"]), matcher("outcome", &["x", "y}"])];
    assert_eq!(
        found,
        [("evenkeel_a_total", &first[..]), ("evenkeel:b:ratio5m", &[]), ("gen_ai_c", &[])]
    );
    assert_eq!(names.grouping.iter().collect::<Vec<_>>(), ["job", "le", "route", "z"]);
}
