//! The JSON of an answer: one line of a stream, or all of it at once. They are the same.

use crate::{
    Tokens,
    json::{Raw, fields, is_filled, is_true, read, word},
    progress::Finish,
};

fields! {
    pub(super) struct Line<'a> {
        error: Raw<'a>,
        message: Option<Message<'a>>,
        response: Raw<'a>,
        thinking: Raw<'a>,
        image: Raw<'a>,
        done: Raw<'a>,
        done_reason: Raw<'a>,
        prompt_eval_count: Raw<'a>,
        eval_count: Raw<'a>,
    }
}

fields! {
    pub(super) struct Message<'a> {
        content: Raw<'a>,
        thinking: Raw<'a>,
        tool_calls: Raw<'a>,
        images: Raw<'a>,
    }
}

// === impl Line ===

impl Line<'_> {
    pub(super) fn is_error(&self) -> bool {
        is_filled(self.error)
    }

    /// Whether there is anything for the caller: text, thinking, the call of a tool, a picture.
    pub(super) fn has_content(&self) -> bool {
        let message = self.message.as_ref().is_some_and(|message| {
            let Message { content, thinking, tool_calls, images } = *message;
            [content, thinking, tool_calls, images].into_iter().any(is_filled)
        });
        message || [self.response, self.thinking, self.image].into_iter().any(is_filled)
    }

    /// Why it ended, once it has. A model that was only loaded has nothing to say.
    pub(super) fn finish(&self) -> Option<Finish> {
        is_true(self.done).then(|| match word(self.done_reason) {
            "length" | "load" | "unload" => Finish::Limited,
            _ => Finish::Plain,
        })
    }

    /// The tokens, where it tells them. A prompt that was kept from the last call is not counted.
    pub(super) fn tokens(&self) -> Option<Tokens> {
        let (input, output) = (read(self.prompt_eval_count), read(self.eval_count));
        let any = input.is_some() || output.is_some();
        any.then(|| Tokens::new(input.unwrap_or(0), output.unwrap_or(0)))
    }
}
