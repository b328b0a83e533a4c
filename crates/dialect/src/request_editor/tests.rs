use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const CHAT: Dialect = Dialect::OpenAiChat;
const RESPONSES: Dialect = Dialect::OpenAiResponses;
const ANTHROPIC: Dialect = Dialect::Anthropic;
const GEMINI: Dialect = Dialect::Gemini;
const OLLAMA: Dialect = Dialect::Ollama;
const ALL: [Dialect; 5] = [CHAT, RESPONSES, ANTHROPIC, GEMINI, OLLAMA];

/// A body after a change; `None` where nothing changed.
fn changed(
    dialect: Dialect,
    body: &str,
    change: impl FnOnce(&mut RequestEditor<'_>),
) -> Option<String> {
    let mut draft = RequestEditor::open_as(dialect, AnswerForm::Usual, body.as_bytes()).unwrap();
    change(&mut draft);
    draft.close().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

#[track_caller]
fn becomes(
    dialect: Dialect,
    body: &str,
    change: impl FnOnce(&mut RequestEditor<'_>),
    expected: &str,
) {
    let after = changed(dialect, body, change);
    assert_eq!(after.as_deref().unwrap_or(body), expected, "{dialect:?}");
    serde_json::from_str::<Value>(expected).expect("JSON");
}

fn named(names: &[&str]) -> ToolFilter {
    ToolFilter::Named(names.iter().map(|name| (*name).into()).collect())
}

// === the cap ===

#[test]
fn a_cap_goes_under_the_name_of_the_caller_and_never_raises() {
    let cases = [
        (CHAT, r#"{"max_tokens":900}"#, r#"{"max_tokens":512}"#),
        (CHAT, r#"{"max_tokens":100}"#, r#"{"max_tokens":100}"#),
        (CHAT, r#"{"max_completion_tokens":900}"#, r#"{"max_completion_tokens":512}"#),
        (CHAT, r#"{"max_tokens":null}"#, r#"{"max_tokens":512}"#),
        (CHAT, r#"{"model":"llama"}"#, r#"{"model":"llama","max_tokens":512}"#),
        (
            CHAT,
            r#"{"model":"gpt-5-mini"}"#,
            r#"{"model":"gpt-5-mini","max_completion_tokens":512}"#,
        ),
        (CHAT, r#"{"model":"openai/o3"}"#, r#"{"model":"openai/o3","max_completion_tokens":512}"#),
        (CHAT, r#"{"model":"olmo"}"#, r#"{"model":"olmo","max_tokens":512}"#),
        (RESPONSES, r#"{"max_output_tokens":4096}"#, r#"{"max_output_tokens":512}"#),
        (RESPONSES, "{}", r#"{"max_output_tokens":512}"#),
        (ANTHROPIC, r#"{"max_tokens":4096}"#, r#"{"max_tokens":512}"#),
        (
            ANTHROPIC,
            r#"{"max_tokens":4096,"thinking":{"type":"enabled","budget_tokens":2048}}"#,
            r#"{"max_tokens":512}"#,
        ),
        (
            GEMINI,
            r#"{"generationConfig":{"temperature":0.70,"maxOutputTokens":900}}"#,
            r#"{"generationConfig":{"temperature":0.70,"maxOutputTokens":512}}"#,
        ),
        (
            GEMINI,
            r#"{"generation_config":{"max_output_tokens":900}}"#,
            r#"{"generation_config":{"max_output_tokens":512}}"#,
        ),
        (GEMINI, "{}", r#"{"generationConfig":{"maxOutputTokens":512}}"#),
        (OLLAMA, r#"{"options":{"num_predict":-1}}"#, r#"{"options":{"num_predict":512}}"#),
        (OLLAMA, r#"{"options":{"num_predict":9}}"#, r#"{"options":{"num_predict":9}}"#),
        (OLLAMA, "{}", r#"{"options":{"num_predict":512}}"#),
    ];
    for (dialect, body, expected) in cases {
        becomes(
            dialect,
            body,
            |draft| assert!(draft.cap_max_tokens(512) || body == expected),
            expected,
        );
    }
}

#[test]
fn a_budget_for_thinking_stays_below_the_cap() {
    let body = r#"{"max_tokens":32000,"thinking":{"type":"enabled","budget_tokens":16000}}"#;
    let expected = r#"{"max_tokens":4000,"thinking":{"type":"enabled","budget_tokens":2000}}"#;
    becomes(ANTHROPIC, body, |draft| assert!(draft.cap_max_tokens(4000)), expected);
    let small = r#"{"max_tokens":4000,"thinking":{"type":"enabled","budget_tokens":2000}}"#;
    becomes(ANTHROPIC, small, |draft| assert!(!draft.cap_max_tokens(4000)), small);
    let adaptive = r#"{"max_tokens":4000,"thinking":{"type":"adaptive"}}"#;
    let lower = r#"{"max_tokens":100,"thinking":{"type":"adaptive"}}"#;
    becomes(ANTHROPIC, adaptive, |draft| assert!(draft.cap_max_tokens(100)), lower);
}

// === tools ===

const F: &str = r#"{"type":"function","function":{"name":"find_order","parameters":{}}}"#;
const W: &str = r#"{"type":"function","function":{"name":"web_search","parameters":{}}}"#;

#[test]
fn a_tool_is_dropped_by_its_name_in_every_dialect() {
    let cases = [
        (CHAT, format!(r#"{{"tools":[{W},{F}],"tool_choice":"required"}}"#), format!(r#"{{"tools":[{F}],"tool_choice":"required"}}"#)),
        (CHAT, format!(r#"{{"n":1,"tools":[{W}],"tool_choice":"required","parallel_tool_calls":true}}"#), r#"{"n":1}"#.into()),
        (CHAT, format!(r#"{{"tools":[{W},{F}],"tool_choice":{{"type":"function","function":{{"name":"web_search"}}}}}}"#), format!(r#"{{"tools":[{F}]}}"#)),
        (CHAT, r#"{"functions":[{"name":"web_search"}],"function_call":{"name":"web_search"}}"#.into(), "{}".into()),
        (CHAT, r#"{"web_search_options":{}}"#.into(), "{}".into()),
        (OLLAMA, format!(r#"{{"tools":[{W}]}}"#), "{}".into()),
        (RESPONSES, r#"{"tools":[{"type":"web_search_preview"},{"type":"function","name":"f"}],"tool_choice":{"type":"web_search_preview"}}"#.into(), r#"{"tools":[{"type":"function","name":"f"}]}"#.into()),
        (RESPONSES, r#"{"tools":[{"type":"function","name":"web_search"},{"type":"file_search","vector_store_ids":["v"]}]}"#.into(), r#"{"tools":[{"type":"file_search","vector_store_ids":["v"]}]}"#.into()),
        (ANTHROPIC, r#"{"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":5},{"name":"f","input_schema":{}}],"tool_choice":{"type":"tool","name":"web_search"}}"#.into(), r#"{"tools":[{"name":"f","input_schema":{}}]}"#.into()),
        (GEMINI, r#"{"tools":[{"functionDeclarations":[{"name":"web_search"},{"name":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["web_search"]}}}"#.into(), r#"{"tools":[{"functionDeclarations":[{"name":"f"}]}]}"#.into()),
        (GEMINI, r#"{"tools":[{"google_search":{}},{"codeExecution":{}}]}"#.into(), r#"{"tools":[{"codeExecution":{}}]}"#.into()),
        (GEMINI, r#"{"tools":[{"googleSearch":{}}],"tool_config":{}}"#.into(), "{}".into()),
    ];
    for (dialect, body, expected) in cases {
        becomes(
            dialect,
            &body,
            |draft| assert_eq!(draft.drop_tools(&named(&["web_search"])).len(), 1, "{body}"),
            &expected,
        );
    }
}

#[test]
fn a_tool_that_is_not_there_leaves_every_byte() {
    let bodies = [
        r#"{ "tools":[ {"type":"function","function":{"name":"web_searcher"}} ] , "tool_choice":"auto"}"#,
        r#"{ "messages": [] }"#,
    ];
    for dialect in ALL {
        for body in bodies {
            assert_eq!(
                changed(dialect, body, |draft| drop(draft.drop_tools(&named(&["web_search"]))))
                    .filter(|_| body.contains("auto")),
                None
            );
        }
    }
}

#[test]
fn the_calls_of_a_dropped_tool_go_with_their_results_and_the_others_stay() {
    let body = r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"web_search","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"find_order","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"x"},{"role":"tool","tool_call_id":"b","content":"y"}]}"#;
    let expected = r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[{"id":"b","type":"function","function":{"name":"find_order","arguments":"{}"}}]},{"role":"tool","tool_call_id":"b","content":"y"}]}"#;
    becomes(CHAT, body, |draft| drop(draft.drop_tools(&named(&["web_search"]))), expected);
    let none = r#"{"messages":[{"role":"user","content":"q"}]}"#;
    becomes(CHAT, body, |draft| drop(draft.drop_tools(&ToolFilter::All)), none);
}

#[test]
fn what_the_model_said_on_its_way_to_a_call_is_not_left_as_its_last_word() {
    let cases = [
        (
            ANTHROPIC,
            r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"text","text":"let me see"},{"type":"tool_use","id":"a","name":"web_search","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"x"}]}]}"#,
            r#"{"messages":[{"role":"user","content":"q"}]}"#,
        ),
        (
            GEMINI,
            r#"{"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"text":"let me see"},{"functionCall":{"name":"web_search","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"web_search","response":{}}}]}]}"#,
            r#"{"contents":[{"role":"user","parts":[{"text":"q"}]}]}"#,
        ),
        (
            RESPONSES,
            r#"{"input":[{"role":"user","content":"q"},{"type":"reasoning","id":"r","summary":[]},{"type":"function_call","call_id":"a","name":"web_search","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":"x"}]}"#,
            r#"{"input":[{"role":"user","content":"q"}]}"#,
        ),
        (
            OLLAMA,
            r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"","tool_calls":[{"function":{"name":"web_search","arguments":{}}}]},{"role":"tool","tool_name":"web_search","content":"x"}]}"#,
            r#"{"messages":[{"role":"user","content":"q"}]}"#,
        ),
    ];
    for (dialect, body, expected) in cases {
        becomes(dialect, body, |draft| drop(draft.drop_tools(&named(&["web_search"]))), expected);
    }
}

#[test]
fn what_was_thought_goes_with_the_last_of_its_calls() {
    let body = r#"{"input":[{"role":"user","content":"q"},{"type":"reasoning","id":"r1"},{"type":"function_call","call_id":"a","name":"web_search"},{"type":"function_call","call_id":"b","name":"f"},{"type":"function_call_output","call_id":"a"},{"type":"function_call_output","call_id":"b"},{"type":"reasoning","id":"r2"},{"type":"function_call","call_id":"c","name":"web_search"},{"type":"function_call_output","call_id":"c"},{"type":"reasoning","id":"r3"},{"type":"message","role":"assistant","content":"so"},{"role":"user","content":"and?"}]}"#;
    let expected = r#"{"input":[{"role":"user","content":"q"},{"type":"reasoning","id":"r1"},{"type":"function_call","call_id":"b","name":"f"},{"type":"function_call_output","call_id":"b"},{"type":"reasoning","id":"r3"},{"type":"message","role":"assistant","content":"so"},{"role":"user","content":"and?"}]}"#;
    becomes(RESPONSES, body, |draft| drop(draft.drop_tools(&named(&["web_search"]))), expected);
}

#[test]
fn a_tool_of_the_providers_own_goes_from_the_answers_too() {
    let body = r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{}},{"type":"web_search_tool_result","tool_use_id":"s","content":[]},{"type":"text","text":"so"}]},{"role":"user","content":"and?"}]}"#;
    let expected = r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"text","text":"so"}]},{"role":"user","content":"and?"}]}"#;
    becomes(ANTHROPIC, body, |draft| drop(draft.drop_tools(&ToolFilter::All)), expected);
    let body = r#"{"input":[{"role":"user","content":"q"},{"type":"web_search_call","id":"ws_1","status":"completed"},{"type":"message","role":"assistant","content":[]},{"role":"user","content":"and?"}]}"#;
    let expected = r#"{"input":[{"role":"user","content":"q"},{"type":"message","role":"assistant","content":[]},{"role":"user","content":"and?"}]}"#;
    becomes(RESPONSES, body, |draft| drop(draft.drop_tools(&named(&["web_search"]))), expected);
}

// === the line ===

#[test]
fn the_line_goes_behind_the_callers_own_words() {
    let cases = [
        (
            CHAT,
            r#"{"messages":[{"role":"user","content":"q"}]}"#,
            r#"{"messages":[{"role":"system","content":"gone"},{"role":"user","content":"q"}]}"#,
        ),
        (
            CHAT,
            r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"q"}]}"#,
            r#"{"messages":[{"role":"system","content":"s\n\ngone"},{"role":"user","content":"q"}]}"#,
        ),
        (
            CHAT,
            r#"{"messages":[{"role":"developer","content":[{"type":"text","text":"s"}]}]}"#,
            r#"{"messages":[{"role":"developer","content":[{"type":"text","text":"s"},{"type":"text","text":"gone"}]}]}"#,
        ),
        (RESPONSES, r#"{"input":"q"}"#, r#"{"input":"q","instructions":"gone"}"#),
        (
            RESPONSES,
            r#"{"instructions":"s","input":"q"}"#,
            r#"{"instructions":"s\n\ngone","input":"q"}"#,
        ),
        (ANTHROPIC, r#"{"system":"s"}"#, r#"{"system":"s\n\ngone"}"#),
        (
            ANTHROPIC,
            r#"{"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}]}"#,
            r#"{"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}},{"type":"text","text":"gone"}]}"#,
        ),
        (ANTHROPIC, "{}", r#"{"system":"gone"}"#),
        (GEMINI, "{}", r#"{"systemInstruction":{"parts":[{"text":"gone"}]}}"#),
        (
            GEMINI,
            r#"{"system_instruction":{"parts":[{"text":"s"}]}}"#,
            r#"{"system_instruction":{"parts":[{"text":"s"},{"text":"gone"}]}}"#,
        ),
        (
            GEMINI,
            r#"{"systemInstruction":{"parts":{"text":"s"}}}"#,
            r#"{"systemInstruction":{"parts":[{"text":"s"},{"text":"gone"}]}}"#,
        ),
        (OLLAMA, r#"{"messages":[]}"#, r#"{"messages":[{"role":"system","content":"gone"}]}"#),
    ];
    for (dialect, body, expected) in cases {
        becomes(dialect, body, |draft| draft.add_instruction("gone"), expected);
    }
    let mut draft =
        RequestEditor::open_as(OLLAMA, AnswerForm::Generate, br#"{"prompt":"q"}"#).unwrap();
    draft.add_instruction("gone");
    assert_eq!(draft.close().unwrap(), r#"{"prompt":"q","system":"gone"}"#);
}

// === images ===

#[test]
fn a_word_stays_in_the_place_of_an_image() {
    let cases = [
        (
            CHAT,
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"q"},{"type":"image_url","image_url":{"url":"x"}}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"q"},{"type":"text","text":"[image]"}]}]}"#,
        ),
        (
            RESPONSES,
            r#"{"input":[{"role":"user","content":[{"type":"input_image","image_url":"x"}]}]}"#,
            r#"{"input":[{"role":"user","content":[{"type":"input_text","text":"[image]"}]}]}"#,
        ),
        (
            ANTHROPIC,
            r#"{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"image","source":{}}]}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"[image]"}]}]}]}"#,
        ),
        (
            GEMINI,
            r#"{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"x"}},{"file_data":{"mime_type":"application/pdf"}}]}]}"#,
            r#"{"contents":[{"parts":[{"text":"[image]"},{"file_data":{"mime_type":"application/pdf"}}]}]}"#,
        ),
        (
            OLLAMA,
            r#"{"messages":[{"role":"user","content":"","images":["x"]}]}"#,
            r#"{"messages":[{"role":"user","content":"[image]"}]}"#,
        ),
    ];
    for (dialect, body, expected) in cases {
        becomes(dialect, body, |draft| assert_eq!(draft.drop_images("[image]"), 1), expected);
        let plain = expected.replace("[image]", "image");
        assert_eq!(changed(dialect, &plain, |draft| assert_eq!(draft.drop_images("x"), 0)), None);
    }
}

// === the stream ===

#[test]
fn an_answer_is_asked_in_one_piece() {
    let cases = [
        (CHAT, r#"{"stream":true,"stream_options":{"include_usage":true}}"#, r#"{"stream":false}"#),
        (ANTHROPIC, r#"{"stream":true}"#, r#"{"stream":false}"#),
        (RESPONSES, r#"{"model":"m"}"#, r#"{"model":"m"}"#),
        (OLLAMA, r#"{"model":"m"}"#, r#"{"model":"m","stream":false}"#),
        (GEMINI, "{}", "{}"),
    ];
    for (dialect, body, expected) in cases {
        becomes(dialect, body, |draft| draft.unstream(), expected);
    }
    let mut uri =
        "https://g/v1beta/models/a%2Fb:streamGenerateContent?alt=sse&key=k".parse().unwrap();
    crate::unstream_path(&mut uri);
    assert_eq!(uri, "https://g/v1beta/models/a%2Fb:generateContent?key=k");
}

// === fitting ===

#[test]
fn whole_exchanges_go_first_then_rounds_of_calls_and_system_turns_stay() {
    let long = "word ".repeat(400);
    let turns = json!([
        {"role":"system","content":"s"},
        {"role":"user","content":long},
        {"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"a","content":"x"},
        {"role":"assistant","content":"so"},
        {"role":"user","content":"now?"},
        {"role":"assistant","content":null,"tool_calls":[{"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"b","content":long},
        {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"c","content":"z"},
    ]);
    let body = json!({ "max_tokens": 100, "messages": turns }).to_string();
    let left = |context: u64| {
        let mut draft = RequestEditor::open_as(CHAT, AnswerForm::Usual, body.as_bytes()).unwrap();
        let dropped = draft.truncate_history(context);
        let body = draft.close().map(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap());
        (dropped, body.map(|body| body["messages"].as_array().unwrap().len()))
    };
    assert_eq!(left(10_000), (Ok(0), None));
    assert_eq!(left(1_000), (Ok(4), Some(6)));
    assert_eq!(left(400), (Ok(6), Some(4)));
    assert_eq!(left(120), (Err(truncate_history::DoesNotFit), None));
}

#[test]
fn a_picture_does_not_count_by_its_bytes() {
    let body = json!({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":format!("data:image/png;base64,{}", "iVBOR".repeat(100_000))}}]}]}).to_string();
    let draft = RequestEditor::open_as(CHAT, AnswerForm::Usual, body.as_bytes()).unwrap();
    assert!((1000..1100).contains(&draft.tokens()), "{}", draft.tokens());
}

// === needs ===

#[test]
fn what_a_request_needs_is_read_in_every_dialect() {
    let cases = [
        (CHAT, r#"{"response_format":{"type":"json_schema"},"max_tokens":7}"#, true),
        (CHAT, r#"{"response_format":{"type":"text"},"max_tokens":7}"#, false),
        (RESPONSES, r#"{"text":{"format":{"type":"json_object"}},"max_output_tokens":7}"#, true),
        (ANTHROPIC, r#"{"output_config":{"format":{"type":"json_schema"}},"max_tokens":7}"#, true),
        (
            GEMINI,
            r#"{"generationConfig":{"responseMimeType":"application/json","maxOutputTokens":7}}"#,
            true,
        ),
        (OLLAMA, r#"{"format":"json","options":{"num_predict":7}}"#, true),
        (OLLAMA, r#"{"options":{"num_predict":7}}"#, false),
    ];
    for (dialect, body, json) in cases {
        let draft = RequestEditor::open_as(dialect, AnswerForm::Usual, body.as_bytes()).unwrap();
        let needs = draft.requirements();
        assert_eq!(needs.json, json, "{body}");
        assert_eq!(needs.tokens, (body.len() as u64).div_ceil(4) + 7, "{body}");
    }
}

#[test]
fn the_last_question_is_found_in_every_dialect() {
    let cases = [
        (
            CHAT,
            r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"},{"role":"tool","content":"t"}]}"#,
        ),
        (
            CHAT,
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"q"},{"type":"image_url"}]}]}"#,
        ),
        (RESPONSES, r#"{"input":"q"}"#),
        (
            RESPONSES,
            r#"{"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"q"}]}]}"#,
        ),
        (
            ANTHROPIC,
            r#"{"messages":[{"role":"user","content":"q"},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"}]}]}"#,
        ),
        (GEMINI, r#"{"contents":[{"parts":[{"text":"q"}]}]}"#),
        (OLLAMA, r#"{"messages":[{"role":"user","content":"q"}]}"#),
    ];
    for (dialect, body) in cases {
        let draft = RequestEditor::open_as(dialect, AnswerForm::Usual, body.as_bytes()).unwrap();
        assert_eq!(draft.last_user_text().as_deref(), Some("q"), "{body}");
    }
}

// === laws ===

/// One exchange: a question, some rounds of calls (each with its tools), an answer or none.
type Exchange = (usize, Vec<Vec<bool>>);

fn exchanges() -> impl Strategy<Value = Vec<Exchange>> {
    let rounds = prop::collection::vec(prop::collection::vec(any::<bool>(), 1..3), 0..4);
    prop::collection::vec((1..60_usize, rounds), 1..5)
}

fn tool(web: bool) -> &'static str {
    if web { "web_search" } else { "find" }
}

fn conversation(dialect: Dialect, exchanges: &[Exchange]) -> Value {
    let (mut turns, mut id) = (Vec::new(), 0);
    for (at, (length, rounds)) in exchanges.iter().enumerate() {
        let text = "word ".repeat(*length);
        turns.push(match dialect {
            GEMINI => json!({"role":"user","parts":[{"text":text}]}),
            _ => json!({"role":"user","content":text}),
        });
        for round in rounds {
            let ids: Vec<_> = round
                .iter()
                .map(|web| {
                    id += 1;
                    (format!("c{id}"), tool(*web))
                })
                .collect();
            turns.extend(calls(dialect, &ids));
        }
        if at + 1 < exchanges.len() {
            turns.push(match dialect {
                GEMINI => json!({"role":"model","parts":[{"text":"so"}]}),
                _ => json!({"role":"assistant","content":"so"}),
            });
        }
    }
    let name = match dialect {
        RESPONSES => "input",
        GEMINI => "contents",
        _ => "messages",
    };
    json!({"big": 7, "max_tokens": 50, name: turns})
}

fn calls(dialect: Dialect, ids: &[(String, &str)]) -> Vec<Value> {
    let each = |make: &dyn Fn(&str, &str) -> Value| {
        ids.iter().map(|(id, name)| make(id, name)).collect::<Vec<_>>()
    };
    match dialect {
        CHAT | OLLAMA => {
            let calls = each(
                &|id, name| json!({"id":id,"type":"function","function":{"name":name,"arguments":"{}"}}),
            );
            let results = each(&|id, _| json!({"role":"tool","tool_call_id":id,"content":"x"}));
            [vec![json!({"role":"assistant","content":null,"tool_calls":calls})], results].concat()
        }
        RESPONSES => {
            let calls = each(
                &|id, name| json!({"type":"function_call","call_id":id,"name":name,"arguments":"{}"}),
            );
            let results =
                each(&|id, _| json!({"type":"function_call_output","call_id":id,"output":"x"}));
            [vec![json!({"type":"reasoning","id":"r","summary":[]})], calls, results].concat()
        }
        ANTHROPIC => {
            let calls = each(&|id, name| json!({"type":"tool_use","id":id,"name":name,"input":{}}));
            let results =
                each(&|id, _| json!({"type":"tool_result","tool_use_id":id,"content":"x"}));
            vec![
                json!({"role":"assistant","content":calls}),
                json!({"role":"user","content":results}),
            ]
        }
        _ => {
            let calls = each(&|id, name| json!({"functionCall":{"id":id,"name":name,"args":{}}}));
            let results =
                each(&|id, name| json!({"functionResponse":{"id":id,"name":name,"response":{}}}));
            vec![json!({"role":"model","parts":calls}), json!({"role":"user","parts":results})]
        }
    }
}

/// All values in the JSON under one of these names, in order.
fn found(
    value: &Value,
    of: &dyn Fn(&serde_json::Map<String, Value>) -> Option<String>,
) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(|item| found(item, of)).collect(),
        Value::Object(fields) => of(fields)
            .into_iter()
            .chain(fields.values().flat_map(|field| found(field, of)))
            .collect(),
        _ => Vec::new(),
    }
}

fn calls_and_results(body: &Value) -> (Vec<String>, Vec<String>) {
    let text = |value: &Value| value.as_str().map(String::from);
    let call = |object: &serde_json::Map<String, Value>| {
        let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
        match kind {
            "function" | "tool_use" => object.get("id").and_then(text),
            "function_call" => object.get("call_id").and_then(text),
            _ => object.get("args").and(object.get("id")).and_then(text),
        }
    };
    let result = |object: &serde_json::Map<String, Value>| {
        let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
        let gemini = object.get("response").and(object.get("id"));
        let output = object.get("call_id").filter(|_| kind == "function_call_output");
        object
            .get("tool_call_id")
            .or(object.get("tool_use_id"))
            .or(output)
            .or(gemini)
            .and_then(text)
    };
    (found(body, &call), found(body, &result))
}

proptest! {
    #[test]
    fn whatever_is_dropped_no_result_is_without_its_call_and_no_call_without_its_result(
        exchanges in exchanges(), context in 60_u64..2000, which in 0..3_usize
    ) {
        for dialect in ALL {
            let body = conversation(dialect, &exchanges).to_string();
            let which = [ToolFilter::None, named(&["web_search"]), ToolFilter::All][which].clone();
            let mut draft = RequestEditor::open_as(dialect, AnswerForm::Usual, body.as_bytes()).unwrap();
            draft.drop_tools(&which);
            let fits = draft.truncate_history(context);
            let tokens = draft.tokens();
            let after = draft.close().map_or(body.clone().into_bytes(), |bytes| bytes.to_vec());
            let after: Value = serde_json::from_slice(&after).unwrap();
            let (mut calls, mut results) = calls_and_results(&after);
            calls.sort_unstable();
            results.sort_unstable();
            prop_assert_eq!(&calls, &results, "{:?}: {}", dialect, after);
            prop_assert_eq!(&after["big"], 7);
            let turns = ["messages", "input", "contents"].into_iter().find_map(|name| after[name].as_array()).unwrap();
            prop_assert_eq!(&turns[0]["role"], "user");
            let question = |turn: &&Value| turn["role"] == "user" && !turn.to_string().contains("esult") && !turn.to_string().contains("Response");
            prop_assert!(question(&&turns[0]), "{}", after);
            let last = "word ".repeat(exchanges.last().unwrap().0);
            prop_assert!(turns.iter().rfind(question).unwrap().to_string().contains(&last));
            if fits.is_ok() {
                prop_assert!(tokens <= context, "{} {}", tokens, context);
            }
            if which == ToolFilter::All {
                prop_assert!(calls.is_empty());
            }
        }
    }

    #[test]
    fn a_cap_never_allows_more_than_the_caller_did(own in 1_u64..100_000, most in 16_u64..100_000) {
        let bodies = [
            (CHAT, format!(r#"{{"max_tokens":{own}}}"#)),
            (CHAT, format!(r#"{{"max_completion_tokens":{own}}}"#)),
            (RESPONSES, format!(r#"{{"max_output_tokens":{own}}}"#)),
            (ANTHROPIC, format!(r#"{{"max_tokens":{own},"thinking":{{"type":"enabled","budget_tokens":1024}}}}"#)),
            (GEMINI, format!(r#"{{"generationConfig":{{"maxOutputTokens":{own}}}}}"#)),
            (OLLAMA, format!(r#"{{"options":{{"num_predict":{own}}}}}"#)),
        ];
        for (dialect, body) in bodies {
            let mut draft = RequestEditor::open_as(dialect, AnswerForm::Usual, body.as_bytes()).unwrap();
            prop_assert_eq!(draft.most(), Some(own));
            draft.cap_max_tokens(most);
            prop_assert_eq!(draft.most(), Some(own.min(most)));
            prop_assert_eq!(draft.close().is_some(), own > most || (dialect == ANTHROPIC && own <= 1024));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(body in any::<Vec<u8>>(), text in "[{}\\[\\]\":,a-z0-9 ]{0,80}") {
        for dialect in ALL {
            for body in [&body[..], text.as_bytes()] {
                let Some(mut draft) = RequestEditor::open_as(dialect, AnswerForm::Usual, body) else { continue };
                draft.drop_tools(&ToolFilter::All);
                draft.drop_images("x");
                draft.add_instruction("x");
                draft.cap_max_tokens(16);
                let _fits = draft.truncate_history(10);
                draft.unstream();
                let (_, _) = (draft.requirements(), draft.last_user_text());
            }
        }
    }

    #[test]
    fn odd_shapes_stay_json(name in "messages|input|contents|tools|system|options|generationConfig|tool_choice|thinking|max_tokens", value in "1|null|\"x\"|\\[\\]|\\[1,null,\"x\"\\]|\\{\\}|\\{\"role\":1\\}|\\[\\{\"role\":\"tool\"\\},\\{\"content\":\\[1\\]\\}\\]") {
        for dialect in ALL {
            let body = format!(r#"{{"{name}":{value},"n":1.50}}"#);
            let after = changed(dialect, &body, |draft| {
                draft.drop_tools(&ToolFilter::All);
                draft.drop_images("x");
                draft.add_instruction("x");
                draft.cap_max_tokens(16);
                let _fits = draft.truncate_history(10);
                draft.unstream();
            });
            let after = after.unwrap_or(body);
            prop_assert!(serde_json::from_str::<Value>(&after).is_ok(), "{}", after);
            prop_assert!(after.contains(r#""n":1.50"#));
        }
    }
}
