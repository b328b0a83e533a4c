//! Removes from a message what it quotes: a provider quotes the request.

/// A message in lower case without its quoted parts. If it contains the JSON of another error, the message of that one.
pub(super) fn unquoted(message: &str) -> String {
    let text = within_json(message).unwrap_or(message);
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut before) = (text, ' ');
    while let Some(quote) = rest.chars().next() {
        let after = &rest[quote.len_utf8()..];
        let quoted = length_of_quote(quote, before, after);
        before = if quoted.is_some() { ' ' } else { quote };
        out.push(before);
        rest = &after[quoted.unwrap_or(0)..];
    }
    out.make_ascii_lowercase();
    out
}

/// The length of a quoted part with its closing quote, if `quote` opens one. An apostrophe opens none.
fn length_of_quote(quote: char, before: char, after: &str) -> Option<usize> {
    let close = match quote {
        '"' | '`' => quote,
        '\'' if !before.is_alphanumeric() => quote,
        '“' => '”',
        _ => return None,
    };
    let ends = after.match_indices(close).find(|(at, found)| {
        let next = after[at + found.len()..].chars().next();
        close != '\'' || !next.is_some_and(char::is_alphanumeric)
    });
    match ends {
        Some((at, found)) => Some(at + found.len()),
        // A quote that was cut. A lone apostrophe quotes nothing.
        None => (close != '\'').then_some(after.len()),
    }
}

/// The message in the JSON, or in the printed dictionary, of an error that another error contains.
fn within_json(message: &str) -> Option<&str> {
    let start = message.find('{')?;
    if message[..start].ends_with(['"', '\'', '`']) {
        return None;
    }
    let keys = ["\"message\"", "'message'"];
    let key = keys.iter().filter_map(|key| Some((message[start..].find(key)?, key))).min()?;
    let value = message[start + key.0 + key.1.len()..].trim_start().strip_prefix(':')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let value = &value[1..];
    let ends = value.match_indices(quote).find(|(at, _)| {
        let escaped = value[..*at].ends_with('\\');
        let next = value[at + 1..].trim_start();
        !escaped && (next.is_empty() || next.starts_with([',', '}']))
    });
    Some(ends.map_or(value, |(at, _)| &value[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apostrophe_quotes_nothing() {
        assert_eq!(unquoted("This model's 'own' users' \"word"), "this model's   users'  ");
    }

    #[test]
    fn the_message_of_an_error_inside_a_message_is_not_a_quote() {
        assert_eq!(unquoted(r#"Error: {"error": {"message": "A 'b' c", "code": 1}}"#), "a   c");
        assert_eq!(unquoted(r#"Error code: 400 - {'error': {'message': "It's A"}}"#), "it's a");
        assert_eq!(unquoted(r#"invalid '{"message": "a"}'"#), "invalid  ");
    }
}
