//! The facts of an answer of no dialect, such as that of an embeddings request.

use crate::{
    AnswerInfo, Usage,
    events::JsonText,
    json::{RawField, fields, plain_str, read},
};

fields! {
    #[allow(non_snake_case)]
    struct PlainAnswer<'a> {
        id: RawField<'a>,
        model: RawField<'a>,
        modelVersion: RawField<'a>,
        usage: RawField<'a>,
        choices: RawField<'a>,
        prompt_eval_count: RawField<'a>,
    }
}

fields! {
    struct PlainUsage<'a> {
        prompt_tokens: RawField<'a>,
        input_tokens: RawField<'a>,
        completion_tokens: RawField<'a>,
        output_tokens: RawField<'a>,
        total_tokens: RawField<'a>,
    }
}

fields! {
    struct PlainChoice<'a> {
        finish_reason: RawField<'a>,
    }
}

// === impl AnswerInfo ===

impl AnswerInfo {
    /// Reads the facts of an unstreamed answer of no dialect, as far as it names them in the usual way: an answer to an embeddings
    /// request, or a legacy completion.
    pub fn of_plain(body: &[u8]) -> Self {
        let answer: PlainAnswer<'_> = serde_json::from_slice(body).unwrap_or_default();
        let mut info = Self::default();
        info.name_as(
            JsonText::filled(answer.id),
            JsonText::filled(answer.model.or(answer.modelVersion)),
        );
        let choices: Vec<PlainChoice<'_>> = read(answer.choices).unwrap_or_default();
        choices.iter().for_each(|choice| info.add_finish(plain_str(choice.finish_reason)));
        info.usage = answer.usage();
        info
    }
}

// === impl PlainAnswer ===

impl PlainAnswer<'_> {
    fn usage(&self) -> Option<Usage> {
        let usage: PlainUsage<'_> = read(self.usage).unwrap_or_default();
        let first = |names: [RawField<'_>; 2]| names.into_iter().find_map(read::<u64>);
        let output = first([usage.completion_tokens, usage.output_tokens]);
        let input = first([usage.prompt_tokens, usage.input_tokens])
            .or_else(|| read(self.prompt_eval_count))
            .or_else(|| read::<u64>(usage.total_tokens)?.checked_sub(output.unwrap_or_default()));
        (input.is_some() || output.is_some())
            .then(|| Usage::new(input.unwrap_or_default(), output.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_with_vectors_has_its_model_and_its_tokens() {
        let body = br#"{"object":"list","data":[{"embedding":[0.1,-2e-3]}],"model":"text-embedding-3-small","usage":{"prompt_tokens":8,"total_tokens":8}}"#;
        let info = AnswerInfo::of_plain(body);
        assert_eq!(info.model.as_deref(), Some("text-embedding-3-small"));
        assert_eq!((info.usage, info.id), (Some(Usage::new(8, 0)), None));
        let ollama =
            AnswerInfo::of_plain(br#"{"model":"m","embeddings":[[1]],"prompt_eval_count":3}"#);
        assert_eq!(ollama.usage, Some(Usage::new(3, 0)));
        let total = AnswerInfo::of_plain(br#"{"usage":{"total_tokens":4}}"#);
        assert_eq!(total.usage, Some(Usage::new(4, 0)));
    }

    #[test]
    fn a_legacy_completion_has_its_finish_reason() {
        let body = br#"{"id":"c","model":"m","choices":[{"text":"x","finish_reason":"length"}],"usage":{"prompt_tokens":2,"completion_tokens":1}}"#;
        let info = AnswerInfo::of_plain(body);
        assert_eq!(info.finish_reasons, ["length".into()] as [Box<str>; 1]);
        assert_eq!(info.usage, Some(Usage::new(2, 1)));
    }

    #[test]
    fn what_is_no_answer_has_no_facts() {
        for body in [&b"[]"[..], b"", b"<html>", br#"{"choices":7,"usage":"much","model":1}"#] {
            assert_eq!(AnswerInfo::of_plain(body), AnswerInfo::default());
        }
    }
}
