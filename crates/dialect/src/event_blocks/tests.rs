//! Every split of the bytes has the same events.

use bytes::Bytes;
use proptest::prelude::*;

use super::{EventBlock, EventBlocks};
use crate::{Dialect, Expected};

const CHAT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n\
: ping\n\n\
data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one\"},\"finish_reason\":null}]}\n\n\
data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" two\"},\"finish_reason\":null}]}\n\n\
data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
data: [DONE]\n\n";

const MESSAGES: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n\
event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"one\"}}\n\n\
event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":1}}\n\n\
event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

fn split(dialect: Dialect, text: &str, cuts: &[usize]) -> Vec<EventBlock> {
    let mut blocks = EventBlocks::new(dialect, Expected::default());
    let (mut seen, mut rest) = (Vec::new(), Bytes::copy_from_slice(text.as_bytes()));
    for cut in cuts {
        let part = rest.split_to((*cut).min(rest.len()));
        blocks.push(part, |block| seen.push(block));
    }
    blocks.push(rest, |block| seen.push(block));
    seen.extend(blocks.finish());
    seen
}

fn marks(blocks: &[EventBlock]) -> Vec<(bool, bool, bool)> {
    blocks.iter().map(|block| (block.content, block.finish, block.last)).collect()
}

#[test]
fn the_content_the_finish_and_the_end_of_a_stream_are_told_apart() {
    let none = (false, false, false);
    let (content, finish, last) =
        ((true, false, false), (false, true, false), (false, false, true));
    let chat = split(Dialect::OpenAiChat, CHAT, &[]);
    // The comment and the blank line after it are blocks without an event.
    assert_eq!(marks(&chat), [none, none, none, content, content, finish, last]);
    let messages = split(Dialect::Anthropic, MESSAGES, &[]);
    assert_eq!(marks(&messages), [none, content, finish, last]);
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_gives_the_same_blocks(cuts in prop::collection::vec(0..90_usize, 0..12)) {
        for (dialect, text) in [(Dialect::OpenAiChat, CHAT), (Dialect::Anthropic, MESSAGES)] {
            let blocks = split(dialect, text, &cuts);
            prop_assert_eq!(&blocks, &split(dialect, text, &[]));
            let bytes: Vec<u8> = blocks.iter().flat_map(|block| block.bytes.to_vec()).collect();
            prop_assert_eq!(bytes, text.as_bytes());
        }
    }
}

#[test]
fn an_event_that_never_ends_is_not_held_for_ever() {
    let mut blocks = EventBlocks::new(Dialect::OpenAiChat, Expected::default());
    let mut passed = 0;
    for _ in 0..40 {
        blocks.push(vec![b'x'; 100_000].into(), |block| passed += block.bytes.len());
    }
    assert!(passed + EventBlocks::MAX_HELD >= 4_000_000, "{passed}");
}
