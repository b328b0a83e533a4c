//! The JSON of an answer: a response, or one event of a stream.

use crate::{
    Tokens,
    json::{Raw, fields, is_filled, read, word},
    progress::{Finish, Progress},
};

fields! {
    pub(super) struct Event<'a> {
        r#type: Raw<'a>,
        error: Raw<'a>,
        response: Option<Answer<'a>>,
        item: Option<Item<'a>>,
        delta: Raw<'a>,
        partial_image_b64: Raw<'a>,
    }
}

fields! {
    /// A response, whole or under way.
    pub(super) struct Answer<'a> {
        object: Raw<'a>,
        r#type: Raw<'a>,
        status: Raw<'a>,
        error: Raw<'a>,
        incomplete_details: Option<Details<'a>>,
        output: Option<Vec<Item<'a>>>,
        usage: Raw<'a>,
    }
}

fields! {
    pub(super) struct Details<'a> {
        reason: Raw<'a>,
    }
}

fields! {
    pub(super) struct Item<'a> {
        r#type: Raw<'a>,
        content: Raw<'a>,
        summary: Raw<'a>,
    }
}

fields! {
    pub(super) struct Part<'a> {
        text: Raw<'a>,
        refusal: Raw<'a>,
        transcript: Raw<'a>,
    }
}

fields! {
    struct Counts<'a> {
        input_tokens: Raw<'a>,
        output_tokens: Raw<'a>,
    }
}

// === impl Event ===

impl Event<'_> {
    /// What it is: its type, or the name it came by.
    pub(super) fn kind<'k>(&'k self, name: &'k [u8]) -> &'k str {
        match word(self.r#type) {
            "" => std::str::from_utf8(name).unwrap_or_default(),
            kind => kind,
        }
    }

    /// Whether it brings a piece of anything: text, reasoning, a refusal, the input of a tool, a picture.
    pub(super) fn has_content(&self, kind: &str) -> bool {
        match kind {
            // The call of a tool says something before it has any input.
            "response.output_item.added" | "response.output_item.done" => {
                self.item.as_ref().is_some_and(Item::has_content)
            }
            _ if kind.ends_with(".delta") => is_filled(self.delta),
            _ => is_filled(self.partial_image_b64),
        }
    }
}

// === impl Answer ===

impl Answer<'_> {
    pub(super) fn is_error(&self) -> bool {
        let says = word(self.object) == "error" || word(self.r#type) == "error";
        says || word(self.status) == "failed" || is_filled(self.error)
    }

    /// Whether it is yet to be worked out, in the background: the caller asks for it later.
    pub(super) fn is_pending(&self) -> bool {
        matches!(word(self.status), "queued" | "in_progress")
    }

    /// Adds what it says of a whole answer.
    pub(super) fn tell(&self, progress: &mut Progress) {
        let output = self.output.as_deref().unwrap_or_default();
        progress.has_content(output.iter().any(Item::has_content));
        progress.tokens = self.tokens().or(progress.tokens);
        progress.finish(
            match self.incomplete_details.as_ref().map(|details| word(details.reason)) {
                Some("content_filter") => Finish::Filtered,
                // A limit of tokens, or of calls of tools.
                Some(_) => Finish::Limited,
                None => Finish::Plain,
            },
        );
    }

    /// The tokens, where it tells them.
    pub(super) fn tokens(&self) -> Option<Tokens> {
        let cost: Counts<'_> = read(self.usage)?;
        let count = |raw| read(raw).unwrap_or_default();
        Some(Tokens::new(count(cost.input_tokens), count(cost.output_tokens)))
    }
}

// === impl Item ===

impl Item<'_> {
    /// Messages and reasoning may be empty; any other item, such as the call of a tool, says something.
    fn has_content(&self) -> bool {
        let parts = |parts| {
            let parts: Vec<Part<'_>> = read(parts).unwrap_or_default();
            parts.iter().any(Part::has_content)
        };
        match word(self.r#type) {
            "message" | "reasoning" | "" => parts(self.content) || parts(self.summary),
            _ => true,
        }
    }
}

// === impl Part ===

impl Part<'_> {
    fn has_content(&self) -> bool {
        [self.text, self.refusal, self.transcript].into_iter().any(is_filled)
    }
}
