//! The facts of an answer: its id, model, finish reasons and usage.

use crate::{
    Usage,
    events::{AnswerEvent, JsonText},
    outcome::{Code, begins_as_a_key},
};

/// The facts of an answer, as the provider names them. They contain nothing of its content.
///
/// A name is kept only if it is short, spelled as names are, without spaces, and does not begin as a key does: so the facts are safe
/// to log, whatever a provider sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnswerInfo {
    /// The id of the answer.
    pub id: Option<Box<str>>,
    /// The model that answered, which may be more exact than the one that was requested.
    pub model: Option<Box<str>>,
    /// The finish reasons, in the provider's own words: one for each choice, in the order in which they arrived; at most
    /// [`MOST`](Self::MOST).
    pub finish_reasons: Vec<Box<str>>,
    /// The tokens, where the answer reports them.
    pub usage: Option<Usage>,
}

// === impl AnswerInfo ===

impl AnswerInfo {
    /// The maximum number of finish reasons.
    pub const MOST: usize = 16;

    /// The longest name that is kept, in bytes.
    const LONGEST: usize = 128;

    /// Adds the id and the model of an event. The first ones are kept.
    pub(crate) fn add_names(&mut self, event: &AnswerEvent<'_>) {
        self.name_as(event.id, event.model);
    }

    /// Sets the id and the model, unless they are known.
    pub(crate) fn name_as(&mut self, id: Option<JsonText<'_>>, model: Option<JsonText<'_>>) {
        if self.id.is_none() {
            self.id = id.and_then(kept);
        }
        if self.model.is_none() {
            self.model = model.and_then(kept);
        }
    }

    /// Adds a finish reason. An explanation that may follow the word is not kept.
    pub(crate) fn add_finish(&mut self, word: &str) {
        let word = word.split(':').next().unwrap_or_default().trim();
        if self.finish_reasons.len() < Self::MOST && Code::new(word).is_some() {
            self.finish_reasons.push(word.into());
        }
    }

    /// Adds the facts of an answer that continues this one: the names are those of the first, the finish reasons those of the
    /// last, the tokens those of both.
    pub fn continued_by(&mut self, next: Self) {
        let Self { id, model, finish_reasons, usage } = next;
        self.id = self.id.take().or(id);
        self.model = self.model.take().or(model);
        self.finish_reasons = finish_reasons;
        self.usage = match (self.usage, usage) {
            (Some(first), Some(second)) => Some(first.plus(second)),
            (first, second) => first.or(second),
        };
    }
}

fn kept(name: JsonText<'_>) -> Option<Box<str>> {
    let name = name.decode()?;
    is_name(&name).then(|| name.into_owned().into_boxed_str())
}

/// Whether a text is spelled as the name of a model or an answer is.
fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.:/@+-".contains(&b);
    let fits = !text.is_empty() && text.len() <= AnswerInfo::LONGEST;
    fits && text.bytes().all(plain) && !begins_as_a_key(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_and_one_with_control_characters_are_not_kept() {
        let mut info = AnswerInfo::default();
        for word in [
            "stop",
            "",
            "a\u{1b}[31mb",
            &"x".repeat(AnswerInfo::LONGEST + 1),
            "odd: why it stopped",
        ] {
            info.add_finish(word);
        }
        assert_eq!(info.finish_reasons, ["stop".into(), "odd".into()] as [Box<str>; 2]);
        (0..2 * AnswerInfo::MOST).for_each(|_| info.add_finish("stop"));
        assert_eq!(info.finish_reasons.len(), AnswerInfo::MOST);
    }

    #[test]
    fn an_answer_that_is_continued_has_the_names_of_the_first_and_the_tokens_of_both() {
        let answer = |id: &str, finish: &[&str], usage| AnswerInfo {
            id: Some(id.into()),
            model: None,
            finish_reasons: finish.iter().map(|word| (*word).into()).collect(),
            usage,
        };
        let mut first = answer("one", &[], Some(Usage::new(10, 2)));
        first.continued_by(answer("two", &["stop"], Some(Usage::new(12, 3))));
        assert_eq!(first, answer("one", &["stop"], Some(Usage::new(22, 5))));
        first.continued_by(answer("three", &["length"], None));
        assert_eq!(first, answer("one", &["length"], Some(Usage::new(22, 5))));
    }
}
