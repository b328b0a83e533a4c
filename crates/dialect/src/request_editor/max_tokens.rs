//! A cap on the tokens of the answer: lowered, never raised.

use super::{RequestEditor, spelled};
use crate::{Dialect, lazy_json::LazyJson};

/// Anthropic's least budget for thinking.
const LEAST_THINKING: u64 = 1024;

// === impl RequestEditor ===

impl RequestEditor<'_> {
    /// Lets the answer have at most `most` tokens, under the name that the caller used. Whether that lowered the limit.
    pub fn cap_max_tokens(&mut self, most: u64) -> bool {
        let body = &mut self.body;
        let capped = match self.dialect {
            Dialect::OpenAiChat => chat(body, most),
            Dialect::OpenAiResponses => lower(body, "max_output_tokens", most),
            Dialect::Anthropic => lower(body, "max_tokens", most) | think_less(body),
            Dialect::Gemini => {
                let outer = ["generationConfig", "generation_config"];
                inside(body, outer, ["maxOutputTokens", "max_output_tokens"], most)
            }
            Dialect::Ollama => inside(body, ["options"; 2], ["num_predict"; 2], most),
        };
        self.changed |= capped;
        capped
    }

    /// The most tokens the answer may have, where the request says so.
    pub(super) fn most(&self) -> Option<u64> {
        let number = |name: &str| self.body.get(name).and_then(|node| node.number());
        let inner = |outer: [&'static str; 2], names: [&'static str; 2]| {
            let node = self.body.get(spelled(&self.body, outer)?)?;
            let name = spelled(&node, names)?;
            node.get(name)?.number()
        };
        match self.dialect {
            Dialect::OpenAiChat => number("max_completion_tokens").or_else(|| number("max_tokens")),
            Dialect::OpenAiResponses => number("max_output_tokens"),
            Dialect::Anthropic => number("max_tokens"),
            Dialect::Gemini => inner(
                ["generationConfig", "generation_config"],
                ["maxOutputTokens", "max_output_tokens"],
            ),
            Dialect::Ollama => inner(["options"; 2], ["num_predict"; 2]),
        }
    }
}

/// The older name is the one that all compatible servers take, the newer the only one that reasoning models take.
fn chat(body: &mut LazyJson<'_>, most: u64) -> bool {
    const NAMES: [&str; 2] = ["max_tokens", "max_completion_tokens"];
    let mut changed = false;
    let there: Vec<_> = NAMES.into_iter().filter(|name| body.get(name).is_some()).collect();
    for name in &there {
        changed |= lower(body, name, most);
    }
    if there.is_empty() {
        changed |= lower(body, NAMES[usize::from(reasons(body))], most);
    }
    changed
}

/// Whether the request is one to a reasoning model of OpenAI's.
fn reasons(body: &LazyJson<'_>) -> bool {
    let model = body.str_or_empty("model");
    let name = model.rsplit('/').next().unwrap_or_default();
    let numbered =
        name.strip_prefix('o').unwrap_or_default().starts_with(|c: char| c.is_ascii_digit());
    numbered || name.starts_with("gpt-5") || body.get("reasoning_effort").is_some()
}

/// Lowers a number, or puts it in; tells whether that changed anything. A limit below zero stands for none.
fn lower(node: &mut LazyJson<'_>, name: &str, most: u64) -> bool {
    let now = node.get(name).and_then(|value| serde_json::from_str::<f64>(&value.json()).ok());
    if now.is_some_and(|now| (0.0..=most as f64).contains(&now)) {
        return false;
    }
    node.set(name, LazyJson::of(most.to_string()));
    true
}

fn inside(
    body: &mut LazyJson<'_>,
    outer: [&'static str; 2],
    names: [&'static str; 2],
    most: u64,
) -> bool {
    let outer = spelled(body, outer).unwrap_or(outer[0]);
    if body.get(outer).is_none() {
        body.set(outer, LazyJson::Object(Vec::new()));
    }
    let Some(inner) = body.field(outer).filter(|inner| !inner.is_list()) else { return false };
    let name = spelled(inner, names).unwrap_or(names[0]);
    lower(inner, name, most)
}

/// The budget for thinking has to stay below the whole, and has a least: below that there is no thinking.
fn think_less(body: &mut LazyJson<'_>) -> bool {
    let Some(most) = body.get("max_tokens").and_then(|most| most.number()) else { return false };
    let thinking =
        body.get("thinking").and_then(|thinking| thinking.get("budget_tokens")?.number());
    if thinking.is_none_or(|budget| budget < most) {
        return false;
    }
    if most <= LEAST_THINKING {
        return body.remove("thinking");
    }
    // The answer itself is to have its half.
    let budget = (most / 2).max(LEAST_THINKING);
    if let Some(thinking) = body.field("thinking") {
        thinking.set("budget_tokens", LazyJson::of(budget.to_string()));
    }
    true
}
