//! Joins two turns of one role, where the turn between them was removed.

use super::block::is_blank_text;
use crate::{Dialect, lazy_json::LazyJson};

/// Appends the content of `next` to `last`, if both are plain turns of the same role, not of the model. Returns whether it did.
pub(super) fn merge<'a>(dialect: Dialect, last: &mut LazyJson<'a>, next: &LazyJson<'a>) -> bool {
    let name = if dialect == Dialect::Gemini { "parts" } else { "content" };
    let role = last.str_or_empty("role");
    if role != "user"
        || role != next.str_or_empty("role")
        || !(is_plain(last, name) && is_plain(next, name))
    {
        return false;
    }
    let contents = [last.get(name), next.get(name)].map(|it| it.map(LazyJson::owned));
    let [Some(before), Some(after)] = contents else { return false };
    let joined = match (before.string(), after.string()) {
        (Some(before), Some(after)) => LazyJson::text(&[before, after].join("\n\n")),
        _ if dialect == Dialect::Ollama => return false,
        _ => LazyJson::List([items(before), items(after)].concat()),
    };
    last.set(name, joined);
    true
}

/// Whether a turn has a role and content, and nothing else.
fn is_plain(turn: &LazyJson<'_>, content: &str) -> bool {
    let mut turn = turn.borrow();
    turn.fields().is_some_and(|all| all.iter().all(|(name, _)| name == "role" || name == content))
}

/// The parts of a content; a plain text is one part.
fn items<'a>(mut content: LazyJson<'a>) -> Vec<LazyJson<'a>> {
    if content.string().is_some() {
        let part = LazyJson::of(format!(r#"{{"type":"text","text":{}}}"#, content.json()));
        return if is_blank_text(&part) { Vec::new() } else { vec![part] };
    }
    content.items().map(std::mem::take).unwrap_or_default()
}
