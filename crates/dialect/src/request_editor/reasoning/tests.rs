use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::AnswerForm;

const ALL: [Dialect; 5] = [
    Dialect::OpenAiChat,
    Dialect::OpenAiResponses,
    Dialect::Anthropic,
    Dialect::Gemini,
    Dialect::Ollama,
];

fn without(dialect: Dialect, body: &Value) -> Value {
    let text = body.to_string();
    let mut draft = RequestEditor::open_as(dialect, AnswerForm::Usual, text.as_bytes()).unwrap();
    draft.drop_reasoning(&|_| true);
    draft.close().map_or_else(|| body.clone(), |after| serde_json::from_slice(&after).unwrap())
}

fn anthropic(content: &Value) -> Value {
    json!({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":content},{"role":"user","content":"r"}]})
}

#[test]
fn a_turn_with_only_thinking_is_removed_and_its_neighbours_are_joined() {
    let thinking = json!({"type":"thinking","thinking":"hm","signature":"s"});
    let blank = json!({"type":"text","text":" "});
    assert_eq!(
        without(Dialect::Anthropic, &anthropic(&json!([thinking, blank]))),
        json!({"messages":[{"role":"user","content":"q\n\nr"}]})
    );
}

#[test]
fn a_turn_that_is_not_foreign_is_not_touched() {
    let body = anthropic(&json!([{"type":"thinking","thinking":"hm","signature":"s"}])).to_string();
    let mut draft =
        RequestEditor::open_as(Dialect::Anthropic, AnswerForm::Usual, body.as_bytes()).unwrap();
    let own = Mark::signature("s").unwrap();
    assert_eq!(draft.drop_reasoning(&|marks| !marks.contains(&own)), 0);
    assert_eq!(draft.close(), None);
}

#[test]
fn the_rules_for_keeping_thinking_go_with_it_and_adaptive_thinking_stays() {
    let calls = |thinking: Value| {
        json!({"thinking":thinking,"context_management":{"edits":[{"type":"clear_thinking_20251015"}]},"messages":[
            {"role":"user","content":"q"},
            {"role":"assistant","content":[{"type":"redacted_thinking","data":"d"},{"type":"tool_use","id":"t","name":"f","input":{}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"1"}]}]})
    };
    let off = without(Dialect::Anthropic, &calls(json!({"type":"enabled","budget_tokens":1024})));
    assert!(off.get("thinking").is_none() && off.get("context_management").is_none(), "{off}");
    let adaptive = without(Dialect::Anthropic, &calls(json!({"type":"adaptive"})));
    assert!(adaptive.get("thinking").is_some() && adaptive.get("context_management").is_some());
}

#[test]
fn an_item_loses_its_id_with_its_reasoning() {
    let body = json!({"input":[
        {"role":"user","content":"q"},
        {"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"g"},
        {"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}"},
        {"type":"function_call_output","call_id":"c","output":"1"},
        {"type":"message","id":"msg_2","role":"assistant","content":[]}]});
    let after = without(Dialect::OpenAiResponses, &body);
    assert_eq!(
        after["input"],
        json!([
            {"role":"user","content":"q"},
            {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
            {"type":"function_call_output","call_id":"c","output":"1"},
            {"type":"message","id":"msg_2","role":"assistant","content":[]}])
    );
}

#[test]
fn a_compatible_signature_is_removed_or_stands_in_at_gemini() {
    let body = |model: &str| {
        json!({"model":model,"messages":[{"role":"user","content":"q"},
        {"role":"assistant","content":null,"tool_calls":[{"id":"1","extra_content":{"google":{"thought_signature":"s"}}}]},
        {"role":"tool","tool_call_id":"1","content":"1"}]})
    };
    let other = without(Dialect::OpenAiChat, &body("gpt"));
    assert_eq!(other["messages"][1]["tool_calls"][0], json!({"id":"1"}));
    let gemini = without(Dialect::OpenAiChat, &body("gemini-3-pro"));
    assert_eq!(
        gemini["messages"][1]["tool_calls"][0]["extra_content"]["google"]["thought_signature"],
        "skip_thought_signature_validator"
    );
}

/// One round of a conversation: a question, whether the model thinks, says something, and calls a tool.
type Round = (bool, bool, bool);

/// A conversation with a number in each of its texts, calls and results.
fn history(dialect: Dialect, rounds: &[Round]) -> Value {
    let mut turns = Vec::new();
    for (at, (thinks, says, calls)) in rounds.iter().enumerate() {
        let (text, id) = (format!("t{at}"), format!("c{at}"));
        let says = *says || !(*thinks || *calls);
        match dialect {
            Dialect::Anthropic => {
                let mut blocks = Vec::new();
                blocks.extend(
                    thinks.then(|| json!({"type":"thinking","thinking":"HM","signature":"HM"})),
                );
                blocks.extend(says.then(|| json!({"type":"text","text":text})));
                blocks.extend(
                    calls.then(|| json!({"type":"tool_use","id":id,"name":"f","input":{}})),
                );
                turns.push(json!({"role":"user","content":format!("q{at}")}));
                turns.push(json!({"role":"assistant","content":blocks}));
                if *calls {
                    turns.push(json!({"role":"user","content":[{"type":"tool_result","tool_use_id":id,"content":"1"}]}));
                    turns.push(json!({"role":"assistant","content":[{"type":"text","text":"ok"}]}));
                }
            }
            Dialect::Gemini => {
                let mut parts = Vec::new();
                parts.extend(thinks.then(|| json!({"text":"HM","thought":true})));
                parts.extend(says.then(|| json!({"text":text,"thoughtSignature":"HM"})));
                parts.extend(
                    calls.then(|| json!({"functionCall":{"name":id},"thoughtSignature":"HM"})),
                );
                turns.push(json!({"role":"user","parts":[{"text":format!("q{at}")}]}));
                turns.push(json!({"role":"model","parts":parts}));
                if *calls {
                    turns.push(json!({"role":"user","parts":[{"functionResponse":{"name":id}}]}));
                    turns.push(json!({"role":"model","parts":[{"text":"ok"}]}));
                }
            }
            Dialect::OpenAiResponses => {
                turns.push(json!({"role":"user","content":format!("q{at}")}));
                turns.extend(thinks.then(|| json!({"type":"reasoning","id":"HM"})));
                turns.extend(
                    says.then(|| json!({"type":"message","role":"assistant","content":text})),
                );
                turns
                    .extend(calls.then(|| json!({"type":"function_call","call_id":id,"name":"f"})));
                turns.extend(calls.then(|| json!({"type":"function_call_output","call_id":id})));
            }
            Dialect::OpenAiChat | Dialect::Ollama => {
                let name =
                    if dialect == Dialect::Ollama { "thinking" } else { "reasoning_content" };
                let mut turn =
                    json!({"role":"assistant","content":if says { text } else { String::new() }});
                if *thinks {
                    turn[name] = "HM".into();
                }
                if *calls {
                    turn["tool_calls"] = json!([{"id":id,"function":{"name":"f"}}]);
                }
                turns.push(json!({"role":"user","content":format!("q{at}")}));
                turns.push(turn);
                turns.extend(calls.then(|| json!({"role":"tool","tool_call_id":id,"content":"1"})));
            }
        }
    }
    let name = match dialect {
        Dialect::Gemini => "contents",
        Dialect::OpenAiResponses => "input",
        _ => "messages",
    };
    json!({name:turns})
}

/// The texts, calls and results of a conversation, in order.
fn said(body: &Value) -> Vec<String> {
    let text = body.to_string();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let numbered = |word: &&str| {
        let mut chars = word.chars();
        // A line break between two questions is written as `\n`.
        matches!(chars.next(), Some('q' | 't' | 'c' | 'n'))
            && word.ends_with(|c: char| c.is_ascii_digit())
    };
    words.filter(numbered).map(|word| word.trim_start_matches('n').to_owned()).collect()
}

proptest! {
    #[test]
    fn law_a_history_without_reasoning_keeps_everything_else_in_order_and_has_no_empty_turn(
        rounds in prop::collection::vec(any::<Round>(), 1..6), dialect in prop::sample::select(&ALL[..]),
    ) {
        let before = history(dialect, &rounds);
        let after = without(dialect, &before);
        prop_assert!(!after.to_string().contains("HM"), "{after}");
        prop_assert_eq!(said(&before), said(&after));
        let (_, turns) = after.as_object().unwrap().iter().next().unwrap();
        let turns = turns.as_array().unwrap();
        for (at, turn) in turns.iter().enumerate() {
            let content = turn.get("content").or(turn.get("parts"));
            let empty = content.is_some_and(|it| *it == json!([]) || *it == json!(""));
            prop_assert!(!empty || turn.get("tool_calls").is_some(), "{after}");
            let alternates = at == 0 || turns[at - 1]["role"] != turn["role"];
            prop_assert!(alternates || dialect == Dialect::OpenAiResponses || turn["role"] == "user" && turns[at-1]["role"] == "tool", "{after}");
        }
    }
}
