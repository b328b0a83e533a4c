//! Reads one answer until its outcome is known, and converts it to the form that the request asks for.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{StatusCode, header};

use super::{
    ClassifyPolicy,
    asked::Asked,
    body::{classify_response, stored},
    content_kind::ContentKind,
};
use crate::{
    Error, Response,
    coding::{Codings, DecodeError, decode},
    context::{AttemptLog, Route},
    dialect::{
        AnswerInfo, BodyForm, Dialect, Expected, Operation, RequestInfo, StreamMonitor, UsageHandle,
    },
    outcome::{ErrorCodeTable, Outcome, Verdict},
    stream::{HoldLimits, ProgressSignal, collect, peek},
    telemetry::{EventKind, EventSink, PlainFacts},
};

/// The state needed to read one answer.
pub(super) struct Reading {
    pub(super) policy: Arc<ClassifyPolicy>,
    /// The codes of the policy, for the provider of this attempt.
    pub(super) codes: ErrorCodeTable,
    pub(super) attempt_log: AttemptLog,
    pub(super) pulse: Option<ProgressSignal>,
    pub(super) hold: HoldLimits,
    pub(super) route: Route,
    pub(super) events: EventSink,
}

// === impl Reading ===

impl Reading {
    /// Reads an answer until its outcome is known, and stores its verdict.
    pub(super) async fn read(
        &self,
        mut response: Response,
        info: &RequestInfo,
    ) -> Result<Response, Error> {
        if let Some(guard) = response.body_mut().guard() {
            guard.attempt_log(self.attempt_log.clone());
        }
        if response.extensions().get::<Verdict>().is_some() {
            // There is another classify layer inside.
            return Ok(response);
        }
        if !response.status().is_success() {
            return Ok(stored(classify_response(&self.codes, response).await, info));
        }
        let outcome = match info.dialect() {
            Some(dialect) => self.known(&mut response, dialect, info).await?,
            None => self.unknown(&mut response, info).await?,
        };
        response.extensions_mut().insert(Verdict::from(outcome));
        Ok(response)
    }

    /// Handles an answer to a path of no dialect: it is not classified, but JSON that is cut short is not handed on as whole. What
    /// a model has computed names its model and its tokens.
    async fn unknown(&self, response: &mut Response, info: &RequestInfo) -> Result<Outcome, Error> {
        if ContentKind::of(response.headers()) != ContentKind::Json {
            return Ok(Outcome::Success);
        }
        let bytes = collect(response.body_mut(), self.policy.collect).await?;
        let computed = matches!(info.operation(), Operation::Chat | Operation::Embeddings);
        let bytes = bytes.filter(|_| computed && Codings::of(response.headers()) == Codings::Plain);
        if let Some(bytes) = bytes {
            response.extensions_mut().insert(PlainFacts::new(AnswerInfo::of_plain(&bytes)));
        }
        Ok(Outcome::Success)
    }

    async fn known(
        &self,
        response: &mut Response,
        dialect: Dialect,
        info: &RequestInfo,
    ) -> Result<Outcome, Error> {
        let expected = Expected::answer_to(&self.codes, info);
        if response.status() == StatusCode::NO_CONTENT {
            return Err(self.refuse(response, Outcome::Empty));
        }
        let kind = ContentKind::of(response.headers());
        if kind == ContentKind::Coded {
            return Ok(Outcome::Success);
        }
        let asked = Asked { dialect, info, expected };
        let codings = Codings::of(response.headers());
        if asked.in_one_piece() && kind == ContentKind::Json && codings != Codings::Plain {
            return self.whole(response, asked).await;
        }
        // Whatever the content type is, the first bytes decide.
        let guard = response.body_mut().guarded();
        guard.attempt_log(self.attempt_log.clone());
        let watch = StreamMonitor::new(dialect, asked.expected.clone());
        guard.watch(if info.stream() { watch } else { watch.events_only() });
        guard.decode(&codings);
        let outcome =
            peek(guard, &asked.hold(self.hold, self.policy.collect), self.pulse.as_ref()).await?;
        match guard.watched().and_then(StreamMonitor::foreign) {
            Some(BodyForm::Page) => Err(self.refuse(response, Outcome::Malformed)),
            Some(_) => {
                guard.watch(None);
                self.whole(response, asked).await
            }
            None if outcome == Outcome::Empty => Err(self.refuse(response, outcome)),
            None if asked.in_one_piece() => self.gathered(response, asked, outcome),
            None => self.streamed(response, outcome),
        }
    }

    /// Handles a stream that is passed on.
    fn streamed(&self, response: &mut Response, outcome: Outcome) -> Result<Outcome, Error> {
        let guard = response.body_mut().guarded();
        // More than is held back, and nothing of a stream in it.
        if guard.watched().is_some_and(StreamMonitor::is_unframed) {
            return Err(self.refuse(response, Outcome::Malformed));
        }
        let usage = guard.at_end().usage();
        response.extensions_mut().insert(usage);
        Ok(outcome)
    }

    /// Handles an answer that is not a stream. It is converted to one if the request asks for a stream.
    async fn whole(&self, response: &mut Response, asked: Asked<'_>) -> Result<Outcome, Error> {
        let Asked { dialect, info, expected } = asked;
        let Some(bytes) = collect(response.body_mut(), self.policy.collect).await? else {
            // Too large to be converted.
            return match info.stream() {
                true => Err(self.refuse(response, Outcome::Malformed)),
                false => Ok(Outcome::Success),
            };
        };
        let bytes = match plain(response, &bytes, self.policy.collect) {
            // A larger answer is not read.
            Err(DecodeError::TooLarge) if !info.stream() => return Ok(Outcome::Success),
            plain => self.readable(response, plain)?,
        };
        let (answer, facts) = dialect.check(expected.clone(), &bytes);
        let usage = UsageHandle::default();
        usage.settle(facts);
        response.extensions_mut().insert(usage);
        match answer {
            Ok(outcome) if info.stream() => {
                self.convert(response, true, |response| dialect.stream_of(response, &bytes, info))?;
                Ok(outcome)
            }
            Ok(outcome) => Ok(outcome),
            // Several lines, or an array of chunks.
            Err(why) if why.outcome() == Outcome::Malformed && !info.stream() => {
                self.lines(response, Asked { dialect, info, expected }, &bytes)
            }
            Err(why) => Err(self.refuse(response, why)),
        }
    }

    /// Handles a stream of JSON, in lines or in an array, in place of an unstreamed answer.
    fn lines(
        &self,
        response: &mut Response,
        asked: Asked<'_>,
        bytes: &Bytes,
    ) -> Result<Outcome, Error> {
        let mut watch = StreamMonitor::new(asked.dialect, asked.expected);
        let failed = watch.feed(bytes).failed;
        let judged = failed.map_or_else(|| watch.finish(), Err);
        let outcome = judged.map_err(|why| self.refuse(response, why))?;
        let usage = UsageHandle::default();
        usage.settle(watch.info());
        response.extensions_mut().insert(usage);
        self.convert(response, false, |response| asked.dialect.whole_of(response, bytes))?;
        Ok(outcome)
    }

    /// Handles a whole stream of events in place of an unstreamed answer.
    fn gathered(
        &self,
        response: &mut Response,
        asked: Asked<'_>,
        outcome: Outcome,
    ) -> Result<Outcome, Error> {
        let guard = response.body_mut().guarded();
        // Too large to be held back.
        if guard.outcome() == Outcome::Truncated {
            return Err(self.refuse(response, Outcome::Malformed));
        }
        let usage = UsageHandle::default();
        if let Some(watch) = guard.watched() {
            usage.settle(watch.info());
        }
        let coded = std::mem::take(guard.front()).into_iter().filter_map(|it| it.into_data().ok());
        let coded = coded.fold(BytesMut::new(), |mut all, data| {
            all.extend_from_slice(&data);
            all
        });
        let bytes = plain(response, &coded.freeze(), self.policy.collect);
        let bytes = self.readable(response, bytes)?;
        response.extensions_mut().insert(usage);
        self.convert(response, false, |response| asked.dialect.whole_of(response, &bytes))?;
        Ok(outcome)
    }

    /// The bytes, or the failure that a broken content coding is.
    fn readable(
        &self,
        response: &mut Response,
        bytes: Result<Bytes, DecodeError>,
    ) -> Result<Bytes, Error> {
        bytes.map_err(|why| match why {
            DecodeError::Cut => self.refuse(response, Outcome::Truncated),
            DecodeError::Broken | DecodeError::TooLarge => {
                self.refuse(response, Outcome::Malformed)
            }
        })
    }

    /// Replaces the response by one with the answer in another form. An answer that has no such form is malformed.
    fn convert(
        &self,
        response: &mut Response,
        stream: bool,
        into: impl FnOnce(Response) -> Option<http::Response<Bytes>>,
    ) -> Result<(), Error> {
        let mut plain = std::mem::take(response);
        plain.headers_mut().remove(header::CONTENT_ENCODING);
        let converted = into(plain);
        let converted = converted.ok_or_else(|| self.refuse(response, Outcome::Malformed))?;
        *response = converted.map(Into::into);
        let route = self.route.clone();
        self.events.emit(EventKind::AnswerConverted { route, stream });
        Ok(())
    }

    /// Turns the answer into an error, which is also reported at the end of its body.
    fn refuse(&self, response: &mut Response, why: impl Into<Verdict>) -> Error {
        let usage = response.extensions().get().and_then(UsageHandle::get);
        let error = Error::new(why).with_attempt_log(&self.attempt_log).with_usage(usage);
        match response.body_mut().guard() {
            Some(guard) => guard.fail(error),
            None => error,
        }
    }
}

/// The bytes of an answer without its content codings, of which none is unknown.
fn plain(response: &Response, bytes: &Bytes, most: usize) -> Result<Bytes, DecodeError> {
    match Codings::of(response.headers()) {
        codings @ Codings::Known(_) => decode(&codings, bytes, most).map(Bytes::from),
        Codings::Plain | Codings::Unknown => Ok(bytes.clone()),
    }
}
