//! The paths of fields, and those that may not be changed.

/// The fields that decide what is asked of which model, and in which form it is answered.
const GUARDED: [&str; 20] = [
    "model",
    "models",
    "messages",
    "input",
    "contents",
    "prompt",
    "system",
    "systemInstruction",
    "system_instruction",
    "instructions",
    "tools",
    "functions",
    "stream",
    "previous_response_id",
    "conversation",
    "container",
    "background",
    "cachedContent",
    "cached_content",
    "images",
];
/// The longest path, in bytes, and the largest number of names in it.
const LONGEST: usize = 128;
const DEEPEST: usize = 4;

/// Rejects a path that no request has, or of a guarded field; the error is what is allowed.
pub(super) fn check(path: &str) -> Result<(), &'static str> {
    let plain = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
    };
    let names = path.split('.');
    if path.len() > LONGEST || names.clone().count() > DEEPEST || !names.clone().all(plain) {
        return Err(
            "the name of a field, or up to four names with dots between them, of A-Z a-z 0-9 _ -",
        );
    }
    let top = names.into_iter().next().unwrap_or_default();
    match GUARDED.contains(&top) {
        true => Err(
            "a field that tunes the answer: the model, the conversation, the tools and the stream have settings of their own",
        ),
        false => Ok(()),
    }
}

/// Rejects a new name that is not valid, or in another object.
pub(super) fn check_rename(from: &str, to: &str) -> Result<(), &'static str> {
    check(to)?;
    match parent(from) == parent(to) && from != to {
        true => Ok(()),
        false => Err("another name in the same object"),
    }
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('.').map(|(parent, _)| parent)
}
