//! Chunks of a streamed chat completion, as their bytes.

pub(crate) const WORD: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word\"},\"finish_reason\":null}]}\n\n";
pub(crate) const STOP: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
pub(crate) const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n";
pub(crate) const DONE: &str = "data: [DONE]\n\n";
/// A comment that keeps a stream open.
pub(crate) const PING: &str = ": keep-alive\n\n";
