//! The JSON of an answer: a message, or one event of a stream.

use crate::{
    Tokens,
    json::{Raw, fields, is_filled, read, word},
    progress::Finish,
};

fields! {
    pub(super) struct Event<'a> {
        r#type: Raw<'a>,
        error: Raw<'a>,
        message: Option<Message<'a>>,
        content_block: Option<Block<'a>>,
        delta: Option<Delta<'a>>,
        usage: Raw<'a>,
    }
}

fields! {
    pub(super) struct Message<'a> {
        r#type: Raw<'a>,
        error: Raw<'a>,
        content: Option<Vec<Block<'a>>>,
        stop_reason: Raw<'a>,
        usage: Raw<'a>,
    }
}

fields! {
    pub(super) struct Block<'a> {
        r#type: Raw<'a>,
        text: Raw<'a>,
        thinking: Raw<'a>,
    }
}

fields! {
    /// What comes to a block, or to the message.
    pub(super) struct Delta<'a> {
        text: Raw<'a>,
        thinking: Raw<'a>,
        partial_json: Raw<'a>,
        content: Raw<'a>,
        stop_reason: Raw<'a>,
    }
}

fields! {
    struct Counts<'a> {
        input_tokens: Raw<'a>,
        cache_creation_input_tokens: Raw<'a>,
        cache_read_input_tokens: Raw<'a>,
        output_tokens: Raw<'a>,
    }
}

/// What a message cost so far: every count is that of the whole message, and not all of them come each time.
#[derive(Debug, Default)]
pub(super) struct Cost {
    fresh: Option<u64>,
    stored: Option<u64>,
    cached: Option<u64>,
    output: Option<u64>,
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
}

// === impl Message ===

impl Message<'_> {
    pub(super) fn is_error(&self) -> bool {
        word(self.r#type) == "error" || is_filled(self.error)
    }

    pub(super) fn has_content(&self) -> bool {
        self.content.as_deref().unwrap_or_default().iter().any(Block::has_content)
    }

    pub(super) fn finish(&self, cost: &Cost) -> Option<Finish> {
        finish(self.stop_reason, cost)
    }
}

// === impl Block ===

impl Block<'_> {
    /// Text and thinking begin empty; the beginning of any other block, such as the call of a tool, says something.
    pub(super) fn has_content(&self) -> bool {
        match word(self.r#type) {
            "text" | "thinking" | "" => is_filled(self.text) || is_filled(self.thinking),
            _ => true,
        }
    }

    /// Whether the provider runs a tool from here on, until the next block begins.
    pub(super) fn runs_tool(&self) -> bool {
        matches!(word(self.r#type), "server_tool_use" | "mcp_tool_use")
    }
}

// === impl Delta ===

impl Delta<'_> {
    /// Signatures and citations are about content, and none themselves.
    pub(super) fn has_content(&self) -> bool {
        [self.text, self.thinking, self.partial_json, self.content].into_iter().any(is_filled)
    }

    pub(super) fn finish(&self, cost: &Cost) -> Option<Finish> {
        finish(self.stop_reason, cost)
    }
}

// === impl Cost ===

impl Cost {
    /// Adds what an event says: what it does not say stays.
    pub(super) fn learn(&mut self, usage: Raw<'_>) {
        let Some(counts) = read::<Counts<'_>>(usage) else { return };
        self.fresh = read(counts.input_tokens).or(self.fresh);
        self.stored = read(counts.cache_creation_input_tokens).or(self.stored);
        self.cached = read(counts.cache_read_input_tokens).or(self.cached);
        self.output = read(counts.output_tokens).or(self.output);
    }

    /// Whether so few tokens were written that they end the turn and say nothing: a model that has nothing to add, as after
    /// the result of a tool, ends its turn at once.
    fn is_of_the_end_alone(&self) -> bool {
        self.output.is_some_and(|output| (1..=3).contains(&output))
    }

    /// The tokens, if any were told. What was read from a cache, or stored in it, is input too.
    pub(super) fn tokens(&self) -> Option<Tokens> {
        let input = [self.fresh, self.stored, self.cached];
        let any = input.iter().chain([&self.output]).any(Option::is_some);
        let input = input.iter().flatten().fold(0_u64, |sum, count| sum.saturating_add(*count));
        any.then(|| Tokens {
            cached: self.cached.unwrap_or_default(),
            ..Tokens::new(input, self.output.unwrap_or_default())
        })
    }
}

fn finish(reason: Raw<'_>, cost: &Cost) -> Option<Finish> {
    is_filled(reason).then(|| match word(reason) {
        "refusal" => Finish::Filtered,
        "max_tokens" | "stop_sequence" | "model_context_window_exceeded" => Finish::Limited,
        "end_turn" if cost.is_of_the_end_alone() => Finish::Limited,
        _ => Finish::Plain,
    })
}
