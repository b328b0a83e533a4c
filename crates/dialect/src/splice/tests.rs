use super::*;
use crate::{decode::RawEvent, outcome::ErrorCodeTable, reader::EventReader};

fn chunk(delta: Value) -> Value {
    json!({"id": "two", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
}

fn start(index: u64, kind: &str) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": {"type": kind, "text": ""}})
}

fn delta(index: u64, text: &str) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}})
}

fn stop(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn note(splicer: &mut StreamSplicer, json: &Value) {
    with_event(splicer.dialect, json, |event| splicer.note(event));
}

fn with_event<T>(dialect: Dialect, json: &Value, f: impl FnOnce(&AnswerEvent<'_>) -> T) -> T {
    let data = json.to_string();
    let mut reader = EventReader::new(dialect, &ErrorCodeTable::default());
    f(&reader.read(&RawEvent { name: b"", data: data.as_bytes() }))
}

/// The events of the other answer that are passed on.
fn joined(splicer: &mut StreamSplicer, events: Vec<Value>) -> Vec<Value> {
    let (dialect, mut out) = (splicer.dialect, Vec::new());
    for mut json in events {
        let said = json.clone();
        let follow = |event: &AnswerEvent<'_>| splicer.follow(event, &mut json).action;
        match with_event(dialect, &said, follow) {
            SpliceAction::Drop => continue,
            SpliceAction::Keep => {}
            SpliceAction::After(before) => out.push(before),
        }
        out.push(json);
    }
    out
}

#[test]
fn chunks_keep_the_first_id_and_lose_the_second_head() {
    let mut splicer = StreamSplicer::new(Dialect::OpenAiChat);
    note(&mut splicer, &json!({"id": "one", "choices": []}));
    splicer.join("");
    let head = chunk(json!({"role": "assistant", "content": ""}));
    let word = chunk(json!({"role": "assistant", "content": "word"}));
    let end = json!({"id": "two", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let usage = json!({"id": "two", "choices": [], "usage": {"prompt_tokens": 1}});
    let out = joined(&mut splicer, vec![head, word, end, usage]);
    assert_eq!(out.len(), 3);
    assert!(out.iter().all(|event| event["id"] == "one"));
    assert_eq!(out[0]["choices"][0]["delta"], json!({"content": "word"}));
}

#[test]
fn white_space_that_the_caller_has_does_not_come_twice() {
    for (blank, words, text) in [
        (" ", vec![" to", " go"], "to go"),
        (" ", vec!["to"], "to"),
        ("\n\n", vec!["\n", "\n", "to"], "to"),
        ("\n\n", vec!["\nto"], "to"),
        (" ", vec!["\nto"], "\nto"),
        ("", vec![" to"], " to"),
    ] {
        let mut splicer = StreamSplicer::new(Dialect::OpenAiChat);
        note(&mut splicer, &json!({"id": "one"}));
        splicer.join(blank);
        let words = words.into_iter().map(|word| chunk(json!({"content": word}))).collect();
        let out = joined(&mut splicer, words);
        let said: String = out
            .iter()
            .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
            .collect();
        assert_eq!(said, text, "{blank:?}");
    }
}

#[test]
fn text_goes_on_in_the_open_block() {
    let mut splicer = StreamSplicer::new(Dialect::Anthropic);
    for event in [json!({"type": "message_start"}), start(0, "text"), delta(0, "one")] {
        note(&mut splicer, &event);
    }
    splicer.join("");
    let other = vec![json!({"type": "message_start"}), start(0, "text"), delta(0, "two"), stop(0)];
    assert_eq!(joined(&mut splicer, other), [delta(0, "two"), stop(0)]);
}

#[test]
fn blocks_never_overlap_and_their_places_go_up() {
    let mut splicer = StreamSplicer::new(Dialect::Anthropic);
    for event in [json!({"type": "message_start"}), start(0, "text"), delta(0, "one")] {
        note(&mut splicer, &event);
    }
    splicer.join("");
    let other = vec![start(0, "thinking"), stop(0), start(1, "text"), delta(1, "two"), stop(1)];
    let out = joined(&mut splicer, other);
    let want = [stop(0), start(1, "thinking"), stop(1), start(2, "text"), delta(2, "two"), stop(2)];
    assert_eq!(out, want);
    // The first answer ended between two blocks.
    splicer.join("");
    assert_eq!(joined(&mut splicer, vec![start(0, "text"), stop(0)]), [start(3, "text"), stop(3)]);
}

#[test]
fn a_block_that_is_open_is_closed_before_the_end() {
    let mut splicer = StreamSplicer::new(Dialect::Anthropic);
    [start(0, "text"), delta(0, "one")].iter().for_each(|event| note(&mut splicer, event));
    splicer.join("");
    let end = json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}});
    assert_eq!(joined(&mut splicer, vec![end.clone()]), [stop(0), end]);
}
