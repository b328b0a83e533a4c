//! Reads an answer, or one event of it, in each dialect. What is not known to be text makes an answer more than its text.

use serde_json::Value;

use super::AnswerSummary;
use crate::words::is_filled;

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A `chat.completion`, or a chunk of one.
pub(super) fn openai_chat(gist: &mut AnswerSummary, value: &Value) {
    gist.told(&value["model"], &value["usage"], (&["prompt_tokens"], &["completion_tokens"]));
    for choice in list(&value["choices"]) {
        gist.plain &= choice["index"].as_u64().unwrap_or(0) == 0 && !is_filled(&choice["logprobs"]);
        let piece = choice.get("delta").filter(|it| it.is_object()).unwrap_or(&choice["message"]);
        for (name, content) in piece.as_object().into_iter().flatten() {
            match name.as_str() {
                "role" => {}
                "content" if content.is_string() => gist.say(content),
                "tool_calls" | "function_call" => gist.tools |= is_filled(content),
                _ => gist.plain &= !is_filled(content),
            }
        }
        match choice["finish_reason"].as_str() {
            Some("length" | "content_filter" | "error" | "max_tokens") => gist.whole = false,
            Some(reason) if !reason.is_empty() => gist.whole = true,
            _ => {}
        }
    }
    gist.plain &= !gist.tools;
}

/// A response, or the event of a stream that ends with all of it.
pub(super) fn openai_responses(gist: &mut AnswerSummary, value: &Value) {
    let response = match value["type"].as_str() {
        Some("response.completed") => &value["response"],
        Some(_) => return,
        None => value,
    };
    gist.told(&response["model"], &response["usage"], (&["input_tokens"], &["output_tokens"]));
    gist.whole = response["status"] == "completed";
    let parts: usize = list(&response["output"]).iter().map(|item| output_item(gist, item)).sum();
    gist.plain &= parts == 1;
}

/// Tells how many parts of a message it has.
fn output_item(gist: &mut AnswerSummary, item: &Value) -> usize {
    match item["type"].as_str().unwrap_or_default() {
        "message" => {
            let parts = list(&item["content"]);
            for part in parts {
                gist.plain &= part["type"] == "output_text" && !is_filled(&part["annotations"]);
                gist.plain &= !is_filled(&part["logprobs"]);
                gist.say(&part["text"]);
                gist.whole &= part["type"] != "refusal";
            }
            return parts.len();
        }
        // That it thought, and not what.
        "reasoning" => {
            let said = ["summary", "content", "encrypted_content"];
            gist.plain &= !said.iter().any(|name| is_filled(&item[name]));
        }
        kind => {
            gist.tools |= kind.ends_with("_call");
            gist.plain = false;
        }
    }
    0
}

/// A message, or an event of one.
pub(super) fn anthropic(gist: &mut AnswerSummary, value: &Value) {
    const INPUT: [&str; 3] =
        ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];
    let message = match value["type"].as_str() {
        Some("message_start") => &value["message"],
        _ => value,
    };
    gist.told(&message["model"], &message["usage"], (&INPUT, &["output_tokens"]));
    for block in list(&message["content"]) {
        anthropic_block(gist, block);
    }
    gist.plain &= list(&message["content"]).len() <= 1;
    match value["type"].as_str() {
        Some("content_block_start") => {
            gist.plain &= value["index"].as_u64().unwrap_or(0) == 0;
            anthropic_block(gist, &value["content_block"]);
        }
        Some("content_block_delta") => match value["delta"]["type"].as_str() {
            Some("text_delta") => gist.say(&value["delta"]["text"]),
            _ => gist.plain = false,
        },
        _ => {}
    }
    let reason = message["stop_reason"].as_str().or(value["delta"]["stop_reason"].as_str());
    match reason {
        Some("end_turn" | "tool_use") => gist.whole = true,
        // Whole, but for the caller to know at which.
        Some("stop_sequence") => (gist.whole, gist.plain) = (true, false),
        Some(_) => gist.whole = false,
        None => {}
    }
}

fn anthropic_block(gist: &mut AnswerSummary, block: &Value) {
    match block["type"].as_str() {
        Some("text") => {
            gist.plain &= !is_filled(&block["citations"]);
            gist.say(&block["text"]);
        }
        kind => {
            gist.tools |= kind.is_some_and(|kind| kind.ends_with("tool_use"));
            gist.plain = false;
        }
    }
}

/// A response, or a chunk of one.
pub(super) fn gemini(gist: &mut AnswerSummary, value: &Value) {
    const INPUT: [&str; 2] = ["promptTokenCount", "toolUsePromptTokenCount"];
    const OUTPUT: [&str; 2] = ["candidatesTokenCount", "thoughtsTokenCount"];
    gist.told(&value["modelVersion"], &value["usageMetadata"], (&INPUT, &OUTPUT));
    for candidate in list(&value["candidates"]) {
        for (name, field) in candidate.as_object().into_iter().flatten() {
            match name.as_str() {
                "index" => gist.plain &= field.as_u64().unwrap_or(0) == 0,
                "content" | "finishReason" | "avgLogprobs" | "safetyRatings" | "tokenCount" => {}
                _ => gist.plain &= !is_filled(field),
            }
        }
        for part in list(&candidate["content"]["parts"]) {
            // The signature of a thought says nothing.
            let known = |name: &str| matches!(name, "text" | "thought" | "thoughtSignature");
            let fields = part.as_object().into_iter().flatten();
            gist.plain &= fields.clone().all(|(name, _)| known(name));
            gist.plain &= !is_filled(&part["thought"]);
            gist.tools |= fields.clone().any(|(name, _)| name == "functionCall");
            gist.say(&part["text"]);
        }
        match candidate["finishReason"].as_str() {
            Some("STOP") => gist.whole = true,
            None | Some("" | "FINISH_REASON_UNSPECIFIED") => {}
            Some(_) => gist.whole = false,
        }
    }
}

/// A line, which is also an answer.
pub(super) fn ollama(gist: &mut AnswerSummary, value: &Value) {
    gist.told(&value["model"], value, (&["prompt_eval_count"], &["eval_count"]));
    for (name, content) in value["message"].as_object().into_iter().flatten() {
        match name.as_str() {
            "role" => {}
            "content" => gist.say(content),
            "tool_calls" => gist.tools |= is_filled(content),
            _ => gist.plain &= !is_filled(content),
        }
    }
    gist.say(&value["response"]);
    // The tokens of a conversation, to go on from: no other form of it has them.
    let more = ["thinking", "image", "context"];
    gist.plain &= !gist.tools && !more.iter().any(|name| is_filled(&value[name]));
    if value["done"] == true {
        gist.whole = matches!(value["done_reason"].as_str(), None | Some("stop"));
    }
}
