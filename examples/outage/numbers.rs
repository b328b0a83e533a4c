//! Numbers as text.

/// A count with its thousands separated: `42 783`.
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

/// A share in percent: `43.7 %`. `0 %` and `100 %` are exact; a share between them is never rounded to either.
pub(crate) fn share(part: u64, of: u64) -> String {
    match part {
        0 => "0 %".into(),
        _ if part == of => "100 %".into(),
        _ => {
            let percent = 100.0 * part as f64 / of.max(1) as f64;
            let rounded = if part > of { percent } else { percent.clamp(0.1, 99.9) };
            format!("{rounded:.1} %")
        }
    }
}

/// A time: `2.6 s`, `33 s`, `42 min`.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        0.0 => "0 s".into(),
        ..0.095 => format!("{seconds:.2} s"),
        ..9.95 => format!("{seconds:.1} s"),
        ..600.0 => format!("{seconds:.0} s"),
        _ => format!("{:.0} min", seconds / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_times_are_readable() {
        assert_eq!([0, 999, 1000, 42_783].map(count), ["0", "999", "1 000", "42 783"]);
        assert_eq!(
            [0.0, 0.541, 2.6, 33.164, 4000.0].map(seconds),
            ["0 s", "0.5 s", "2.6 s", "33 s", "67 min"]
        );
    }

    #[test]
    fn a_share_is_rounded_to_none_or_all_only_where_it_is_exact() {
        assert_eq!(
            [(0, 9), (9, 9), (1, 3)].map(|(part, of)| share(part, of)),
            ["0 %", "100 %", "33.3 %"]
        );
        assert_eq!((share(1, 42_783), share(42_782, 42_783)), ("0.1 %".into(), "99.9 %".into()));
    }
}
