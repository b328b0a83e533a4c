//! The requests of reqwest that a client sends.

use std::future::Future;

use bytes::Bytes;
use reqwest::{RequestBuilder, Url};

use super::{
    convert::{from_reqwest, into_reqwest, no_later},
    errors::failed,
};
use crate::{
    Error, Request, Response,
    context::Deadline,
    into_call::{
        IntoCall,
        sealed::{Sealed, UploadBuffer},
    },
};

// === impl IntoCall ===

impl Sealed for reqwest::Request {}

impl IntoCall for reqwest::Request {
    type Response = reqwest::Response;
    type Asked = Url;

    fn copy(&self) -> Option<Request> {
        let body = self.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let request = http::Request::builder().method(self.method()).uri(self.url().as_str());
        let mut request = request.body(Bytes::copy_from_slice(body)).ok()?;
        request.headers_mut().clone_from(self.headers());
        if let Some(timeout) = self.timeout() {
            no_later(&mut request, Deadline::within(*timeout));
        }
        Some(request)
    }

    async fn into_request(self, uploads: UploadBuffer) -> Result<(Request, Url), Error> {
        let asked = self.url().clone();
        Ok((from_reqwest(self, uploads).await?, asked))
    }

    fn respond(response: Response, asked: Url) -> reqwest::Response {
        into_reqwest(response, asked)
    }
}

impl Sealed for RequestBuilder {}

impl IntoCall for RequestBuilder {
    type Response = reqwest::Response;
    type Asked = Url;

    fn copy(&self) -> Option<Request> {
        self.try_clone()?.build().ok()?.copy()
    }

    fn into_request(
        self,
        uploads: UploadBuffer,
    ) -> impl Future<Output = Result<(Request, Url), Error>> + Send {
        // It is built at once: a builder need not be `Sync`.
        let request = self.build().map_err(failed);
        async move { request?.into_request(uploads).await }
    }

    fn respond(response: Response, asked: Url) -> reqwest::Response {
        into_reqwest(response, asked)
    }
}
