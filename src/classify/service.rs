//! Reads every answer until its outcome is known.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::StatusCode;
use tower::{Layer, Service};

use super::{
    ClassifyPolicy,
    body::{classify_response, stored},
    content_kind::ContentKind,
    local_trouble, tls_failure,
};
use crate::{
    ConfigError, Error, Request, Response, Upstream,
    coding::{Codings, DecodeError, decode},
    context::{AttemptContext, AttemptLog, CallContext},
    dialect::{Dialect, Expected, RequestInfo, StreamFraming, StreamMonitor, UsageHandle},
    outcome::{ErrorCodeTable, Outcome, Verdict},
    stream::ProgressSignal,
    stream::{CommitPolicy, HoldLimits, collect, peek},
    upstream::{ResponseFuture, take_ready},
};

/// A layer that puts [`Classify`] around a service.
#[derive(Clone, Debug)]
pub struct ClassifyLayer(Arc<ClassifyPolicy>);

/// A service that reads every answer until its outcome is known, and stores the verdict.
///
/// An answer is returned with its [`Verdict`] in its extensions, and with the [`UsageHandle`] if its dialect is known. A response
/// with a success status that is no answer (an error inside a 200, no content, another language than the API's, a body cut short)
/// is returned as an error. A response with another status is returned as it is, with its verdict.
#[derive(Clone, Debug)]
pub struct Classify<S> {
    inner: S,
    policy: Arc<ClassifyPolicy>,
}

/// The state needed to read one answer.
struct Reading {
    policy: Arc<ClassifyPolicy>,
    /// The codes of the policy, for the provider of this attempt.
    codes: ErrorCodeTable,
    attempt_log: AttemptLog,
    pulse: Option<ProgressSignal>,
    hold: HoldLimits,
}

// === impl ClassifyPolicy ===

impl ClassifyPolicy {
    /// Builds the layer.
    pub fn build(self) -> Result<ClassifyLayer, ConfigError> {
        self.check()?;
        Ok(ClassifyLayer::new(self))
    }
}

// === impl ClassifyLayer ===

impl ClassifyLayer {
    pub(crate) fn new(policy: ClassifyPolicy) -> Self {
        Self(Arc::new(policy))
    }
}

impl Default for ClassifyLayer {
    fn default() -> Self {
        Self::new(ClassifyPolicy::default())
    }
}

impl<S> Layer<S> for ClassifyLayer {
    type Service = Classify<S>;

    fn layer(&self, inner: S) -> Classify<S> {
        Classify { inner, policy: self.0.clone() }
    }
}

// === impl Classify ===

impl<S: Upstream> Service<Request> for Classify<S> {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let info = CallContext::info(&mut request);
        let codes = self.policy.codes.at(AttemptContext::route(&mut request).provider());
        let attempt_log = CallContext::of(&mut request).attempt_log.clone();
        let pulse = request.extensions().get::<ProgressSignal>().cloned();
        let mut hold = self.policy.hold;
        if let Some(commit) = request.extensions().get::<CommitPolicy>() {
            hold.commit = *commit;
        }
        let reading = Reading { policy: self.policy.clone(), codes, attempt_log, pulse, hold };
        let mut inner = take_ready(&mut self.inner);
        Box::pin(async move {
            let response = inner.call(request).await.map_err(explained)?;
            reading.read(response, &info).await
        })
    }
}

// === impl Reading ===

impl Reading {
    async fn read(&self, mut response: Response, info: &RequestInfo) -> Result<Response, Error> {
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
            None => self.unknown(&mut response).await?,
        };
        response.extensions_mut().insert(Verdict::from(outcome));
        Ok(response)
    }

    /// Handles an answer to a path of no dialect: it is not read, but JSON that is cut short is not handed on as whole.
    async fn unknown(&self, response: &mut Response) -> Result<Outcome, Error> {
        if ContentKind::of(response.headers()) == ContentKind::Json {
            collect(response.body_mut(), self.policy.collect).await?;
        }
        Ok(Outcome::Success)
    }

    async fn known(
        &self,
        response: &mut Response,
        dialect: Dialect,
        info: &RequestInfo,
    ) -> Result<Outcome, Error> {
        let (stream, expected) = (info.stream(), Expected::answer_to(&self.codes, info));
        if response.status() == StatusCode::NO_CONTENT {
            return Err(self.refuse(response, Outcome::Empty));
        }
        let kind = match ContentKind::of(response.headers()) {
            ContentKind::Lines if dialect.framing() == StreamFraming::JsonLines => {
                ContentKind::Events
            }
            kind => kind,
        };
        match kind {
            ContentKind::Json if !stream => self.whole(response, dialect, expected).await,
            // Clients read the requested stream whatever its label, so the first byte decides.
            ContentKind::Json | ContentKind::Events | ContentKind::Unsaid => {
                let watch = StreamMonitor::new(dialect, expected.clone());
                let watch = if stream { watch } else { watch.events_only() };
                self.events(response, dialect, expected, watch).await
            }
            ContentKind::Coded => Ok(Outcome::Success),
            ContentKind::Lines | ContentKind::Other => {
                Err(self.refuse(response, Outcome::Malformed))
            }
        }
    }

    async fn whole(
        &self,
        response: &mut Response,
        dialect: Dialect,
        expected: Expected,
    ) -> Result<Outcome, Error> {
        let Some(bytes) = collect(response.body_mut(), self.policy.collect).await? else {
            return Ok(Outcome::Success);
        };
        let bytes = match plain(response, &bytes, self.policy.collect) {
            Ok(bytes) => bytes,
            // A larger answer is not read.
            Err(DecodeError::TooLarge) => return Ok(Outcome::Success),
            Err(DecodeError::Cut) => return Err(self.refuse(response, Outcome::Truncated)),
            Err(DecodeError::Broken) => return Err(self.refuse(response, Outcome::Malformed)),
        };
        let (answer, tokens) = dialect.check(expected, &bytes);
        let usage = UsageHandle::default();
        usage.settle(tokens);
        response.extensions_mut().insert(usage);
        answer.map_err(|why| self.refuse(response, why))
    }

    async fn events(
        &self,
        response: &mut Response,
        dialect: Dialect,
        expected: Expected,
        watch: StreamMonitor,
    ) -> Result<Outcome, Error> {
        let codings = Codings::of(response.headers());
        let guard = response.body_mut().guarded();
        guard.attempt_log(self.attempt_log.clone());
        guard.watch(watch);
        guard.decode(&codings);
        let outcome = peek(guard, &self.hold, self.pulse.as_ref()).await?;
        match guard.watched().and_then(StreamMonitor::foreign) {
            Some(b'<') => Err(self.refuse(response, Outcome::Malformed)),
            Some(_) => {
                guard.watch(None);
                self.whole(response, dialect, expected).await
            }
            None if outcome == Outcome::Empty => Err(self.refuse(response, outcome)),
            None => {
                let usage = guard.at_end().usage();
                response.extensions_mut().insert(usage);
                Ok(outcome)
            }
        }
    }

    /// Turns the answer into an error, which is also reported at the end of its body.
    fn refuse(&self, response: &mut Response, why: impl Into<Verdict>) -> Error {
        let error = Error::new(why).with_attempt_log(&self.attempt_log);
        match response.body_mut().guard() {
            Some(guard) => guard.fail(error),
            None => error,
        }
    }
}

/// Adds what is known about the cause of an attempt that did not reach the provider.
fn explained(error: Error) -> Error {
    tls_failure::attribute(local_trouble::attribute(error))
}

/// The bytes of an answer without its content codings, of which none is unknown.
fn plain(response: &Response, bytes: &Bytes, most: usize) -> Result<Bytes, DecodeError> {
    match Codings::of(response.headers()) {
        codings @ Codings::Known(_) => decode(&codings, bytes, most).map(Bytes::from),
        Codings::Plain | Codings::Unknown => Ok(bytes.clone()),
    }
}
