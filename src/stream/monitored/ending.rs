//! How a body ends: by its last frame, with its bytes, by an error, by a limit of time, or dropped.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use http_body::Frame;

use super::{MonitoredBody, Underneath, decoding};
use crate::{
    Error,
    dialect::{FrameSummary, StreamMonitor},
    outcome::{Outcome, Phase},
    stream::BodyEnd,
};

// === impl MonitoredBody ===

impl MonitoredBody {
    /// Ends the body with an error, which the caller gets in place of the body.
    pub(crate) fn fail(&mut self, error: Error) -> Error {
        self.under.let_go();
        self.settle(error.outcome().into());
        let usage = self.watch.as_ref().and_then(StreamMonitor::usage);
        self.at_end.tell(error.with_usage(usage))
    }

    /// Ends a complete stream whose bytes have not ended, without waiting for more.
    pub(crate) fn stop(&mut self) {
        self.under.let_go();
        self.settle(self.outcome().into());
    }

    /// Parses a frame that is about to be handed on, or put back.
    pub(super) fn look(&mut self, frame: &Frame<Bytes>) -> FrameSummary {
        let seen = match (&mut self.watch, frame.data_ref()) {
            (Some(watch), Some(data)) => match &mut self.decoder {
                None => watch.feed(data),
                Some(decoder) => decoding::feed(watch, decoder, data),
            },
            // Without a dialect every byte is content.
            (None, Some(data)) => FrameSummary::bytes(!data.is_empty()),
            // Trailers are the last frame of a body: many callers do not poll for another.
            (_, None) => {
                let failure = self.close(None);
                self.under = Underneath::ended(failure);
                return FrameSummary::default();
            }
        };
        let last = match &self.watch {
            Some(watch) => watch.is_over(),
            // Callers need not poll past the last frame when the length was known.
            None => self.under.is_drained(),
        };
        if last {
            self.settle(self.watch.as_ref().map_or(BodyEnd::Done, |watch| watch.outcome().into()));
        }
        seen
    }

    /// Applies the summary of a frame that is about to be handed on.
    pub(super) fn progress(&mut self, seen: FrameSummary) {
        let elapsed = self.clock.as_mut().and_then(|clock| clock.frame(seen.content, seen.works));
        if let Some(verdict) = seen.failed {
            // The frame is handed on, the error follows it.
            self.under = Underneath::Failed(self.fail(Error::new(verdict)));
        } else if let (Some(phase), Underneath::Open(_)) = (elapsed, &self.under) {
            self.under = Underneath::ended(self.elapsed(phase));
        }
    }

    /// Handles the end of the bytes, with or without a transport error. Returns an error, unless the answer is complete.
    pub(super) fn close(&mut self, error: Option<Error>) -> Option<Error> {
        self.under.let_go();
        if let (Some(watch), None) = (&mut self.watch, &error) {
            watch.end_in_order();
        }
        let whole = match &mut self.watch {
            Some(watch) => watch.finish(),
            None if error.is_none() => Ok(Outcome::Success),
            None => Err(Outcome::Truncated.into()),
        };
        let error = match (whole, error) {
            (Ok(whole), _) => {
                self.settle(whole.into());
                return None;
            }
            (Err(why), Some(error)) => match why.outcome() {
                Outcome::Truncated | Outcome::Empty => error,
                _ => Error::new(why).with_source(error),
            },
            (Err(why), None) => Error::new(why),
        };
        Some(self.fail(error))
    }

    /// Handles a limit that has passed. Returns an error, unless the answer is complete.
    pub(super) fn elapsed(&mut self, phase: Phase) -> Option<Error> {
        match self.outcome() {
            // A blocked answer is complete: its finish reason is in the stream.
            whole @ (Outcome::Success | Outcome::Blocked) => {
                self.under.let_go();
                self.settle(whole.into());
                None
            }
            _ => Some(self.fail(Error::new(Outcome::TimedOut { phase }))),
        }
    }

    fn settle(&mut self, ending: BodyEnd) {
        if self.at_end.ending().is_none() {
            self.at_end.settle(ending, self.watch.as_ref().map(StreamMonitor::info));
        }
    }
}

impl Drop for MonitoredBody {
    fn drop(&mut self) {
        if self.at_end.ending().is_some() {
            return;
        }
        let told = self.whole.as_ref().is_some_and(|whole| whole.load(Ordering::Relaxed));
        let over = told || self.under.is_drained();
        let ending = match &mut self.watch {
            // The caller stopped at the last byte, and need not know that the API would have sent more.
            Some(watch) if over => watch.finish().unwrap_or_else(|why| why.outcome()).into(),
            Some(watch) if watch.outcome() != Outcome::Truncated => watch.outcome().into(),
            None if over => BodyEnd::Done,
            _ => BodyEnd::Cancelled,
        };
        self.settle(ending);
    }
}
