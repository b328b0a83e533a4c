use proptest::prelude::*;

use super::*;
use crate::Dialect;

fn marks(dialect: Dialect, pieces: &[&[u8]]) -> Vec<Mark> {
    let mut found = Vec::new();
    let mut scanner = MarkScanner::new(dialect);
    pieces.iter().for_each(|piece| scanner.read(piece, &mut |mark| found.push(mark)));
    scanner.finish(&mut |mark| found.push(mark));
    found
}

fn signature(value: &str) -> Mark {
    Mark::signature(value).unwrap()
}

const STREAM: &str = concat!(
    ": it's \"open\n",
    "data: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}\n\n",
    "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"so \\\"it\\\" \"}}\n\n",
    "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"is\"}}\n\n",
    "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"signature_delta\",\"signature\" : \"ab\\u003d\\/=\"}}\n\n",
    "data: {\"delta\":{\"text\":\"\\\"signature\\\":\\\"no\\\"\",\"partial_json\":\"signature\"}}\n\n",
);

#[test]
fn the_marks_of_a_stream_are_those_of_its_signature_and_of_its_thoughts() {
    let text = Mark::of(MarkKind::Text, "so \"it\" is").unwrap();
    assert_eq!(marks(Dialect::Anthropic, &[STREAM.as_bytes()]), [signature("ab=/="), text]);
}

#[test]
fn each_dialect_has_its_own_marks() {
    let id = |value: &str| Mark::id(value).unwrap();
    for (dialect, answer, expected) in [
        (
            Dialect::OpenAiResponses,
            r#"{"id":"resp_1","output":[{"id":"rs_1","item_id":"no","encrypted_content":"gA"}]}"#,
            vec![id("resp_1"), id("rs_1"), signature("gA")],
        ),
        (
            Dialect::Gemini,
            r#"{"parts":[{"functionCall":{"name":"signature"},"thoughtSignature":"Cg"}]}"#,
            vec![signature("Cg")],
        ),
        (
            Dialect::OpenAiChat,
            r#"{"id":"chatcmpl-1","extra_content":{"google":{"thought_signature":"Cg"}},"reasoning_content":null}"#,
            vec![signature("Cg")],
        ),
        (
            Dialect::OpenAiChat,
            r#"{"message":{"reasoning_content":"hm","content":"reasoning"}}"#,
            vec![Mark::of(MarkKind::Text, "hm").unwrap()],
        ),
        (Dialect::Ollama, r#"{"message":{"thinking":""}}"#, vec![]),
    ] {
        assert_eq!(marks(dialect, &[answer.as_bytes()]), expected, "{answer}");
    }
}

proptest! {
    #[test]
    fn law_any_split_of_the_bytes_gives_the_same_marks(cuts in prop::collection::vec(0..STREAM.len(), 0..6)) {
        let mut cuts = cuts;
        cuts.extend([0, STREAM.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|cut| &STREAM.as_bytes()[cut[0]..cut[1]]).collect();
        prop_assert_eq!(marks(Dialect::Anthropic, &pieces), marks(Dialect::Anthropic, &[STREAM.as_bytes()]));
    }

    #[test]
    fn law_any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        marks(Dialect::OpenAiChat, &[&bytes]);
    }

    #[test]
    fn law_a_signature_has_the_mark_of_its_value_however_it_is_written(value in "[ -~é\n]{1,40}") {
        let answer = serde_json::json!({"signature": value}).to_string();
        prop_assert_eq!(marks(Dialect::Anthropic, &[answer.as_bytes()]), [signature(&value)]);
    }
}
