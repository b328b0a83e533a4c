//! One request, there and back.

use std::{convert::Infallible, sync::Arc};

use axum::{Router, body::Body, extract::State, routing};
use bytes::Bytes;
use evenkeel::{
    context::{AttemptLog, Once},
    dialect::{Dialect, RequestInfo},
    fallback::{Fallback, Fallbacks, Target},
};
use http::{
    HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header, request::Parts,
};

use super::{
    edge::Edge,
    errors::Said,
    heads, health,
    setup::Gateway,
    tail::Tail,
    upload::{Upload, is_small, whole},
    wish::Wish,
};

/// Who gave the answer.
pub(crate) const RUNG: HeaderName = HeaderName::from_static("evenkeel-rung");
/// How many requests went to upstreams for it.
pub(crate) const ATTEMPTS: HeaderName = HeaderName::from_static("evenkeel-attempts");

/// What the gateway answers.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new().route("/healthz", routing::any(health::tell)).fallback(pass).with_state(gateway)
}

async fn pass(State(gateway): State<Arc<Gateway>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let language = heads::language(&parts);
    match gateway.pass(parts, body).await {
        Ok(response) => response,
        Err(said) => said.answer(language),
    }
}

// === impl Gateway ===

impl Gateway {
    async fn pass(&self, mut parts: Parts, body: Body) -> Result<Response<Body>, Said> {
        parts.uri = self.addressed(&parts)?;
        // Of the caller's connection, not of ours: by 1.0 the upstream could neither stream nor keep its own.
        parts.version = http::Version::HTTP_11;
        let head_only = parts.method == Method::HEAD;
        let known = Dialect::of_path(parts.uri.path()).filter(|_| parts.method == Method::POST);
        let wish = Wish::read(&parts.headers)?;
        let (bytes, upload) = match known {
            Some(_) => (whole(body, &parts.headers, self.body).await?, None),
            None if is_small(&body) => (whole(body, &parts.headers, self.body).await?, None),
            None => (Bytes::new(), Some(Upload::new(body))),
        };
        heads::request(&mut parts.headers, known.is_some());
        let mut request = Request::from_parts(parts, bytes);
        request.extensions_mut().clear();
        self.wished(wish, known, request.extensions_mut());
        if let Some(upload) = upload {
            request.extensions_mut().insert(upload);
            request.extensions_mut().insert(Once);
        }
        let ask = RequestInfo::read(&request);
        let query = request.uri().query().unwrap_or_default().to_owned();
        let client = if known.is_some() { &self.chat } else { &self.other };
        let response = client.send(request).await.map_err(|error| Said::of(&error))?;
        let response = self.answer(response, &ask, &query);
        Ok(if head_only { bare(response) } else { response })
    }

    /// The same path and query at the upstream.
    fn addressed(&self, parts: &Parts) -> Result<Uri, Said> {
        let wrong = || {
            let message = "the target of the request is no path; allowed is one that begins with /";
            Said::new(StatusCode::BAD_REQUEST, "bad_target", message)
        };
        let path = parts.uri.path_and_query().filter(|path| path.as_str().starts_with('/'));
        let mut addressed = self.origin.clone().into_parts();
        addressed.path_and_query = Some(path.ok_or_else(wrong)?.clone());
        if parts.method == Method::CONNECT {
            return Err(wrong());
        }
        Uri::from_parts(addressed).map_err(|_| wrong())
    }

    /// Puts a caller's wishes where evenkeel looks for them.
    fn wished(&self, wish: Wish, known: Option<Dialect>, extensions: &mut http::Extensions) {
        let Wish { fallbacks, commit, priority, sticky } = wish;
        if let Some(commit) = commit {
            extensions.insert(commit);
        }
        if let Some(priority) = priority {
            extensions.insert(priority);
        }
        if let Some(sticky) = sticky {
            extensions.insert(sticky);
        }
        // Only of a call that is known for what it is can another model be asked.
        if fallbacks.is_empty() || known.is_none() {
            return;
        }
        let rung = |model: &String| {
            let first = self.first.iter().map(|target| target.clone().model(model));
            let here = self.first.is_empty().then(|| Target::here().model(model));
            // Its characters were looked at, one by one: each is one byte.
            let name = &model[..model.len().min(64)];
            Fallback::targets(first.chain(here)).named(name)
        };
        match Fallbacks::new(fallbacks.iter().map(rung)) {
            Ok(fallbacks) => drop(extensions.insert(fallbacks)),
            // Not reached: what it refuses was refused before.
            Err(error) => tracing::warn!(%error, "fallbacks were left out"),
        }
    }

    /// The answer for the caller.
    fn answer(
        &self,
        response: evenkeel::Response,
        ask: &RequestInfo,
        query: &str,
    ) -> Response<Body> {
        let attempt_log = AttemptLog::of(response.extensions());
        let (mut head, body) = response.into_parts();
        head.extensions.clear();
        head.version = http::Version::HTTP_11;
        heads::response(&mut head.headers);
        let rung = attempt_log.rung();
        let rung = HeaderValue::from_str(rung.as_deref().unwrap_or(&self.name));
        let stands = head.headers.get(RUNG).cloned().filter(|_| attempt_log.rung().is_some());
        let rung = stands.or(rung.ok()).unwrap_or(HeaderValue::from_static("primary"));
        head.headers.insert(RUNG, rung);
        head.headers.insert(ATTEMPTS, HeaderValue::from(attempt_log.sent()));
        let streamed = head.status.is_success() && ask.stream() && body.as_bytes().is_none();
        let coded = head.headers.get(header::CONTENT_ENCODING).is_some_and(|it| it != "identity");
        match ask.dialect().filter(|_| streamed && !coded) {
            Some(dialect) => {
                // An error may follow what was announced.
                head.headers.remove(header::CONTENT_LENGTH);
                let tail = Tail::new(body, dialect, Edge::of(dialect, query));
                Response::from_parts(head, Body::new(tail))
            }
            None if matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) => {
                bare(Response::from_parts(head, Body::empty()))
            }
            // One that breaks breaks the connection: the caller sees that it is not whole.
            None => Response::from_parts(head, Body::new(body)),
        }
    }
}

/// An answer that has no body by what it is. Its length, where it tells one, is that of another's: none is made up.
fn bare(response: Response<Body>) -> Response<Body> {
    let nothing = futures_util::stream::empty::<Result<Bytes, Infallible>>();
    response.map(|_| Body::from_stream(nothing))
}
