//! The names of the faults that can be injected on purpose.

use std::fmt;

macro_rules! fault_kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal;)*) => {
        /// The kind of a fault that is injected on purpose: what a `chaos` layer did to an attempt.
        ///
        /// The kinds exist in every build, for events and configurations; faults are injected only in a build with the feature
        /// `chaos`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FaultKind {
            $($(#[$doc])* $kind,)*
        }

        impl FaultKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The name in configurations, logs, spans, metrics and the header `evenkeel-chaos`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),* }
            }
        }
    };
}

fault_kinds! {
    /// No connection is made.
    Refused = "refused";
    /// The connection is reset before any byte of an answer.
    Reset = "reset";
    /// The connection is closed before any byte of an answer.
    Closed = "closed";
    /// There is no answer, and the connection stays open.
    Hang = "hang";
    /// A status with an error body.
    Status = "status";
    /// 429: the requests of the minute are used up.
    RateLimited = "rate_limited";
    /// The quota is used up.
    Quota = "quota";
    /// The prompt is longer than the context of the model.
    ContextLength = "context_length";
    /// A content filter rejects the prompt.
    Blocked = "blocked";
    /// 200 with an empty body.
    Empty = "empty";
    /// 200 with an HTML page, as from a proxy.
    Page = "page";
    /// 200 with an error as its body.
    ErrorBody = "error_body";
    /// A well-formed answer without content.
    NoContent = "no_content";
    /// The head of the answer is late.
    SlowHead = "slow_head";
    /// The first content of the answer is late.
    SlowContent = "slow_content";
    /// Every event with content is late.
    SlowEvents = "slow_events";
    /// The connection is reset after some bytes of the body.
    ResetAfter = "reset_after";
    /// The connection closes within the answer.
    Cut = "cut";
    /// Nothing is sent for a time within the answer, then the connection closes.
    Silence = "silence";
    /// Nothing more is sent within the answer, and the connection stays open.
    Stall = "stall";
    /// The stream has one more event, which is not JSON.
    InvalidEvent = "invalid_event";
    /// An event with an error ends the stream.
    ErrorEvent = "error_event";
    /// The answer is one JSON body although the request asks for a stream.
    Unstreamed = "unstreamed";
    /// An event with content is repeated without end.
    Endless = "endless";
    /// The last event of the API is missing.
    NoDone = "no_done";
    /// The finish reason is missing.
    NoFinish = "no_finish";
    /// The body is sent a few bytes at a time.
    Drip = "drip";
    /// Comments are sent before the first content.
    Comments = "comments";
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::FaultKind;

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let names: BTreeSet<_> = FaultKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), FaultKind::ALL.len());
        assert!(FaultKind::ALL.iter().enumerate().all(|(at, kind)| *kind as usize == at));
    }
}
