//! What the caller of a stack asks about a response.

use bytes::Bytes;
use http::{Extensions, HeaderMap, StatusCode};
use http_body_util::BodyExt;

use crate::{
    BoxError, Error, ServedBy,
    context::AttemptLog,
    error::FailedBody,
    outcome::{Verdict, classify_head},
};

/// What a response says about its call: for `http::Response`, and with the feature `reqwest` for `reqwest::Response`.
///
/// A final failure is an `Ok` of [`Client::send`](crate::Client::send) with the status and the body of the provider.
/// [`into_result`](Self::into_result) turns it into the same [`Error`] as a failure without an answer, so that an application
/// handles both in one place:
///
/// ```
/// use evenkeel::ResponseExt;
/// # use evenkeel_testkit::{Provider, Reply};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let provider = Provider::new("api").always(Reply::status(401));
/// # let client = evenkeel::Client::builder().build_with(provider)?;
/// # let request = http::Request::post("https://api.example.com/v1/chat/completions").body(bytes::Bytes::from("{}"))?;
/// let error = client.send(request).await?.into_result().expect_err("the key is wrong");
/// assert!(error.is_unauthorized());
/// assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
/// # Ok(()) }
/// ```
pub trait ResponseExt: Sized + sealed::Head {
    /// The response if it is a success, else what went wrong as an [`Error`], with the response's status, attempt log, headers
    /// and body.
    ///
    /// The [`verdict`](Self::verdict) decides: 304 is a success, another 3xx is not.
    ///
    /// # Errors
    ///
    /// If the response is a failure.
    fn into_result(self) -> Result<Self, Error> {
        let verdict = self.verdict();
        if verdict.outcome().is_success() {
            return Ok(self);
        }
        let attempt_log = self.extensions().get::<AttemptLog>().cloned();
        let error = Error::from_response(verdict, self.into_failed());
        Err(match &attempt_log {
            Some(attempt_log) => error.with_attempt_log(attempt_log),
            None => error,
        })
    }

    /// The verdict on the response; by its status and headers alone if it did not come through a stack.
    fn verdict(&self) -> Verdict {
        let verdict = self.extensions().get::<Verdict>().cloned();
        verdict.unwrap_or_else(|| classify_head(self.status(), self.headers()))
    }

    /// Where the answer is from: the first target, a fallback, a store, a canned reply. Ask again after a stream has ended: a
    /// fallback may have [continued](crate::stream::MidStreamFailure) it.
    fn served_by(&self) -> ServedBy {
        ServedBy::of_head(self.headers(), self.extensions())
    }

    /// The attempt log of the call; an empty one if the response did not come through a stack.
    fn attempt_log(&self) -> AttemptLog {
        AttemptLog::of(self.extensions())
    }
}

pub(crate) mod sealed {
    use super::{Extensions, FailedBody, HeaderMap, StatusCode};

    /// The head of a response. Sealed: the types of a response are few.
    pub trait Head {
        #[doc(hidden)]
        fn status(&self) -> StatusCode;
        #[doc(hidden)]
        fn headers(&self) -> &HeaderMap;
        #[doc(hidden)]
        fn extensions(&self) -> &Extensions;
        #[doc(hidden)]
        fn into_failed(self) -> http::Response<FailedBody>;
    }
}

// === impl ServedBy ===

impl ServedBy {
    /// Where a response is from: the same as [`ResponseExt::served_by`].
    pub fn of(response: &impl ResponseExt) -> Self {
        response.served_by()
    }
}

// === impl Response ===

impl<B> sealed::Head for http::Response<B>
where
    B: http_body::Body<Data = Bytes> + Send + Sync + 'static,
    B::Error: Into<BoxError>,
{
    fn status(&self) -> StatusCode {
        self.status()
    }

    fn headers(&self) -> &HeaderMap {
        self.headers()
    }

    fn extensions(&self) -> &Extensions {
        self.extensions()
    }

    fn into_failed(self) -> http::Response<FailedBody> {
        self.map(|body| body.map_err(Into::into).boxed())
    }
}

impl<B> ResponseExt for http::Response<B>
where
    B: http_body::Body<Data = Bytes> + Send + Sync + 'static,
    B::Error: Into<BoxError>,
{
}

#[cfg(feature = "reqwest")]
impl sealed::Head for reqwest::Response {
    fn status(&self) -> StatusCode {
        self.status()
    }

    fn headers(&self) -> &HeaderMap {
        self.headers()
    }

    fn extensions(&self) -> &Extensions {
        self.extensions()
    }

    fn into_failed(self) -> http::Response<FailedBody> {
        http::Response::<reqwest::Body>::from(self).into_failed()
    }
}

#[cfg(feature = "reqwest")]
impl ResponseExt for reqwest::Response {}
