//! The fields that a request can do without: its answer is still an answer to the same question.

/// Fields that tune, label or store an answer. Not here: what is asked, the tools, the form of the answer (`response_format`,
/// `n`), and `stop`, without which an answer may contain what the caller reads as its own.
const DROPPABLE: [&str; 49] = [
    "chat_template_kwargs",
    "enable_thinking",
    "extra_body",
    "extra_headers",
    "frequency_penalty",
    "generationConfig.frequencyPenalty",
    "generationConfig.logprobs",
    "generationConfig.presencePenalty",
    "generationConfig.responseLogprobs",
    "generationConfig.seed",
    "generationConfig.temperature",
    "generationConfig.topK",
    "generationConfig.topP",
    "include_reasoning",
    "logit_bias",
    "logprobs",
    "metadata",
    "min_p",
    "parallel_tool_calls",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_retention",
    "random_seed",
    "reasoning",
    "reasoning.effort",
    "reasoning.summary",
    "reasoning_effort",
    "reasoning_format",
    "reasoning_split",
    "repetition_penalty",
    "safe_prompt",
    "safety_identifier",
    "seed",
    "service_tier",
    "store",
    "stream_options",
    "stream_options.include_obfuscation",
    "stream_options.include_usage",
    "temperature",
    "text.verbosity",
    "thinking",
    "thinking_budget",
    "top_a",
    "top_k",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
    "verbosity",
];

/// The two names of the limit on the tokens of a chat completion.
const LIMITS: [&str; 2] = ["max_tokens", "max_completion_tokens"];

/// The field of that name, if a request can do without it, or has another name for it. A name in camel case counts as the same in
/// snake case.
pub(crate) fn known(name: &str) -> Option<&'static str> {
    let find = |name: &str| DROPPABLE.iter().chain(&LIMITS).find(|known| **known == name).copied();
    find(name).or_else(|| find(&snake(name)))
}

/// The other name, if the field is the limit on the tokens of a chat completion: it is never left out.
pub(crate) fn is_limit(name: &str) -> Option<&'static str> {
    match name {
        "max_tokens" => Some("max_completion_tokens"),
        "max_completion_tokens" => Some("max_tokens"),
        _ => None,
    }
}

/// `presencePenalty` as `presence_penalty`.
fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
