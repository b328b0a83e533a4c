//! Changes the text of an object in places.

use std::ops::Range;

use serde_json::Value;

use crate::{
    json::span_in,
    json_parts::{list, object},
};

/// A field of an object, and its places in the text.
struct Member {
    name: String,
    /// The name with its quotes.
    key: Range<usize>,
    value: Range<usize>,
}

/// A place and its new text.
struct Cut {
    at: Range<usize>,
    text: String,
}

/// Applies a change to the object that has the field; `change` gets that object and the name of the field in it.
pub(super) fn at_path(
    text: &str,
    path: &str,
    change: &dyn Fn(&str, &str) -> Option<String>,
) -> Option<String> {
    let Some((outer, rest)) = path.split_once('.') else { return change(text, path) };
    // Servers use the last of a repeated name.
    let outer = members(text)?.into_iter().rfind(|member| member.name == outer)?;
    let inner = at_path(&text[outer.value.clone()], rest, change)?;
    Some(cut(text, vec![Cut { at: outer.value, text: inner }]))
}

/// The JSON of a field.
pub(super) fn value<'a>(text: &'a str, path: &str) -> Option<&'a str> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let (_, found) = object(text)?.rfind(|(known, _)| known == name)?;
    rest.map_or(Some(found), |rest| value(found, rest))
}

/// Removes all fields of that name whose value fits, with one comma each.
pub(super) fn remove(text: &str, name: &str, fits: &dyn Fn(&str) -> bool) -> Option<String> {
    let all = members(text)?;
    let gone = |member: &Member| member.name == name && fits(&text[member.value.clone()]);
    if !all.iter().any(gone) {
        return None;
    }
    let first = all.iter().position(|member| !gone(member));
    // The fields before the first that stays, each with the comma behind it.
    let lead = match first {
        Some(first) => all[0].key.start..all[first].key.start,
        None => all[0].key.start..all[all.len() - 1].value.end,
    };
    let mut cuts = vec![Cut { at: lead, text: String::new() }];
    // Those behind it, each with the comma before it.
    for at in first.unwrap_or(all.len())..all.len() {
        if gone(&all[at]) {
            cuts.push(Cut { at: all[at - 1].value.end..all[at].value.end, text: String::new() });
        }
    }
    Some(cut(text, cuts))
}

/// Renames all fields of a name. If there is a value under the new name, the fields are removed instead.
pub(super) fn rename(text: &str, from: &str, to: &str) -> Option<String> {
    let all = members(text)?;
    let value = |member: &Member| &text[member.value.clone()];
    if !all.iter().any(|member| member.name == from) {
        return None;
    }
    if all.iter().any(|member| member.name == to && value(member) != "null") {
        return remove(text, from, &|_| true);
    }
    // A `null` under the new name would hide the value.
    let text = remove(text, to, &|_| true).unwrap_or_else(|| text.to_owned());
    let named = members(&text)?.into_iter().filter(|member| member.name == from);
    let key = Value::from(to).to_string();
    let cuts = named.map(|member| Cut { at: member.key, text: key.clone() }).collect();
    Some(cut(&text, cuts))
}

/// Sets a field in place, or appends it; `None` if it has that value already.
pub(super) fn set(text: &str, path: &str, json: &str) -> Option<String> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let all = members(text)?;
    if let Some(rest) = rest.filter(|_| all.iter().any(|member| member.name == name)) {
        let inner = all.into_iter().rfind(|member| member.name == name)?;
        let changed = set(&text[inner.value.clone()], rest, json)?;
        return Some(cut(text, vec![Cut { at: inner.value, text: changed }]));
    }
    // The objects that a path names and the request does not have.
    let missing = rest.into_iter().flat_map(|rest| rest.rsplit('.'));
    let json = missing.fold(json.to_owned(), |json, name| format!("{{{}:{json}}}", quoted(name)));
    let there: Vec<_> = all.iter().filter(|member| member.name == name).collect();
    if !there.is_empty() {
        if there.iter().all(|member| text[member.value.clone()] == json) {
            return None;
        }
        let cuts = there.into_iter().map(|it| Cut { at: it.value.clone(), text: json.clone() });
        return Some(cut(text, cuts.collect()));
    }
    let (end, comma) = match all.last() {
        Some(last) => (last.value.end, ","),
        None => (text.find('{')? + 1, ""),
    };
    let text_of_field = format!("{comma}{}:{json}", quoted(name));
    Some(cut(text, vec![Cut { at: end..end, text: text_of_field }]))
}

/// Replaces the value of a field in those objects of a list where it is the JSON `from`.
pub(super) fn replace_in_list(
    text: &str,
    list_name: &str,
    field: &str,
    [from, to]: [&str; 2],
) -> Option<String> {
    let (_, items) = object(text)?.rfind(|(name, _)| name == list_name)?;
    let mut cuts = Vec::new();
    for item in list(items)? {
        let Some(members) = members(item) else { continue };
        let start = span_in(item, text.as_bytes()).start;
        let fits = members
            .into_iter()
            .filter(|member| member.name == field && &item[member.value.clone()] == from);
        cuts.extend(fits.map(|member| {
            let Range { start: from, end } = member.value;
            Cut { at: start + from..start + end, text: to.to_owned() }
        }));
    }
    (!cuts.is_empty()).then(|| cut(text, cuts))
}

/// The fields of an object in order; `None` if the text is not an object.
fn members(text: &str) -> Option<Vec<Member>> {
    let mut end = text.find('{')? + 1;
    let mut all = Vec::new();
    for (name, value) in object(text)? {
        let value = span_in(value, text.as_bytes());
        // Between two values there are the comma, the name and the colon: the only quotes are those of the name, or escaped in it.
        let gap = &text[end..value.start];
        let key = end + gap.find('"')?..end + gap.rfind('"')? + 1;
        end = value.end;
        all.push(Member { name, key, value });
    }
    Some(all)
}

fn quoted(name: &str) -> String {
    Value::from(name).to_string()
}

/// The text with other texts in these places, which are in order.
fn cut(text: &str, cuts: Vec<Cut>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for Cut { at: place, text: new } in cuts {
        out.push_str(&text[at..place.start]);
        out.push_str(&new);
        at = place.end;
    }
    out.push_str(&text[at..]);
    out
}
