//! The request that is sent for a call: its address, its headers, its body, and the room for it.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use evenkeel::{
    CallOptions,
    coding::decode_request,
    context::NonReplayable,
    dialect::{Dialect, RequestInfo},
};
use http::{Method, Request, StatusCode, Uri, header, request::Parts};

use super::{
    body_budget::BodyShare,
    bounds::CallBounds,
    errors::GatewayError,
    headers,
    long_work::LARGE,
    upload::{ReadBody, Room, Upload, is_small},
};
use crate::{access::Caller, gateway::Gateway};

/// A request that is ready to be sent.
pub(super) struct Prepared<'a> {
    request: evenkeel::Request,
    room: Room<'a>,
    /// Whether it is a call in a known dialect.
    known: bool,
    /// Whose call it is, where callers have tokens.
    caller: Option<Arc<Caller>>,
}

/// The most that a body in a content coding becomes; a larger one is sent as it is.
const MAX_DECODED: usize = 32 * 1024 * 1024;

// === impl Prepared ===

impl Prepared<'_> {
    /// Whether work on the body may take long.
    pub(super) fn is_large(&self) -> bool {
        self.request.body().len() > LARGE || self.is_coded()
    }

    fn is_coded(&self) -> bool {
        let coded = self.request.headers().contains_key(header::CONTENT_ENCODING);
        coded && !self.request.body().is_empty()
    }

    /// Decodes the body, if it is in a content coding. There is room for the result before it is made.
    async fn decode(&mut self) -> Result<(), GatewayError> {
        if !self.is_coded() {
            return Ok(());
        }
        let mut share = BodyShare::default();
        let Room { budget, wait, .. } = self.room;
        budget.extend(&mut share, MAX_DECODED.min(budget.bytes()), wait).await?;
        let coded = self.request.body().clone();
        decode_request(&mut self.request);
        let plain = self.request.body_mut();
        if plain.as_ptr() != coded.as_ptr() {
            share.shrink(plain.len());
            *plain = share.held_by(std::mem::take(plain));
        }
        Ok(())
    }
}

// === impl Gateway ===

impl Gateway {
    /// Reads the body of a call, and prepares its request within the bounds.
    pub(super) async fn prepare(
        &self,
        mut parts: Parts,
        body: Body,
        options: CallOptions,
    ) -> Result<Prepared<'_>, GatewayError> {
        parts.uri = self.addressed(&parts)?;
        // The version is that of the caller's connection. An HTTP/1.0 request to an upstream could neither stream nor keep its
        // connection.
        parts.version = http::Version::HTTP_11;
        let caller = parts.extensions.remove::<Arc<Caller>>();
        let via = self.bounds.hop.pass(&mut parts.headers)?;
        let dialect = dialect_of(&parts, &options);
        let known = dialect.is_some();
        let options = self.bounds.clamp(options, known);
        let room = self.room(&options, known);
        let (read, upload) = match known || is_small(&body) {
            true => (room.read(body).await?, None),
            false => (ReadBody::default(), Some(Upload::new(body))),
        };
        headers::strip_request(&mut parts.headers, known);
        let mut request = Request::from_parts(parts, read.bytes);
        let extensions = request.extensions_mut();
        extensions.clear();
        extensions.insert(within(options, room.wait, read.waited));
        extensions.insert(via);
        dialect.map(|dialect| extensions.insert(dialect));
        if let Some(upload) = upload {
            extensions.insert(upload);
            extensions.insert(NonReplayable);
        }
        Ok(Prepared { request, room, known, caller })
    }

    /// Sends a request. All that is done with its body happens here.
    pub(super) async fn send(
        &self,
        mut prepared: Prepared<'_>,
    ) -> Result<(evenkeel::Response, RequestInfo), GatewayError> {
        prepared.decode().await?;
        let info = RequestInfo::read(&prepared.request);
        if let Some(caller) = &prepared.caller {
            let checked = caller.check_call(prepared.request.method(), info.model());
            checked.map_err(GatewayError::refused)?;
        }
        let client = if prepared.known { &self.chat } else { &self.other };
        let response = client.send(prepared.request).await;
        Ok((response.map_err(|error| GatewayError::of_call(&error))?, info))
    }

    /// The room for the body of a call. `known`: in a known dialect.
    fn room(&self, options: &CallOptions, known: bool) -> Room<'_> {
        let CallBounds { body: max, ref budget, .. } = self.bounds;
        let longest = self.bounds.deadline(known);
        Room { max, budget, wait: options.time_left().map_or(longest, |left| left.min(longest)) }
    }

    /// The URI of the upstream with the same path and query.
    fn addressed(&self, parts: &Parts) -> Result<Uri, GatewayError> {
        let wrong = || {
            let message = "the target of the request is no path; allowed is one that begins with /";
            GatewayError::new(StatusCode::BAD_REQUEST, "bad_target", message)
        };
        let path = parts.uri.path_and_query().filter(|path| path.as_str().starts_with('/'));
        let mut addressed = self.origin.clone().into_parts();
        addressed.path_and_query = Some(path.ok_or_else(wrong)?.clone());
        Uri::from_parts(addressed).map_err(|_| wrong())
    }
}

/// The options of a call that has waited for room: what is left of its time.
fn within(options: CallOptions, time: Duration, waited: Duration) -> CallOptions {
    match waited.is_zero() {
        true => options,
        false => options.deadline(time.saturating_sub(waited).max(Duration::from_millis(1))),
    }
}

/// The dialect of a call to a model: the declared one, except at the path of another known operation, else that of the path.
fn dialect_of(parts: &Parts, options: &CallOptions) -> Option<Dialect> {
    let path = parts.uri.path();
    let declared = options.declared_dialect().filter(|_| !Dialect::is_elsewhere(path));
    declared.or_else(|| Dialect::of_path(path)).filter(|_| parts.method == Method::POST)
}
