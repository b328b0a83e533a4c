//! Where credentials come from: the traits that a user implements.

use std::{fmt, future::Future, pin::Pin};

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};

use super::Credentials;
use crate::BoxError;

/// The boxed future of a [`CredentialSource`] or a [`RequestSigner`].
pub type CredentialsFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Credentials, BoxError>> + Send + 'a>>;

/// Fetches credentials that are valid for a while: an OAuth token, a workload identity, a key from a vault.
///
/// Called by one fetch at a time, in a task of its own, never under a lock. All attempts share what it returns. It may fail, hang
/// or panic: see [`credentials`](crate::credentials). A closure that returns a future is a source.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::{BoxError, credentials::Credentials, target::Target};
///
/// async fn fetch() -> Result<Credentials, BoxError> {
///     // Ask the identity provider.
///     Ok(Credentials::bearer("the token").expires_in(Duration::from_secs(3600)))
/// }
///
/// let target = Target::new("https://api.example.com/v1").credentials(fetch);
/// # let _ = target;
/// ```
pub trait CredentialSource: Send + Sync + 'static {
    /// Fetches credentials.
    fn fetch(&self) -> CredentialsFuture<'_>;
}

/// Signs each request anew, such as AWS Signature Version 4 does.
///
/// Called for each attempt with the request as it is sent, after all edits. It may fail, hang or panic: see
/// [`credentials`](crate::credentials). A closure from a [`SigningRequest`] to a future is a signer.
pub trait RequestSigner: Send + Sync + 'static {
    /// Returns the headers that authorize the request. Their lifetime is ignored.
    fn sign(&self, request: SigningRequest) -> CredentialsFuture<'_>;
}

/// The request of an attempt, as it is sent, without the headers of its credentials.
///
/// The transport adds `host` (the [authority](Uri::authority) of the URI), `content-length`, and its own `accept` and
/// `user-agent`.
#[derive(Clone)]
pub struct SigningRequest {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    pub(super) after_rejection: bool,
}

// === impl SigningRequest ===

impl SigningRequest {
    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The URI with its query.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The bytes of the body; `None` if it is streamed, so that its bytes are not known.
    pub fn body(&self) -> Option<&Bytes> {
        self.body.as_ref()
    }

    /// Whether the provider has rejected the previous signature of this attempt: a signer that keeps session keys should fetch
    /// new ones.
    pub fn is_after_rejection(&self) -> bool {
        self.after_rejection
    }
}

impl fmt::Debug for SigningRequest {
    /// Headers, query and body stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningRequest")
            .field("method", &self.method)
            .field("host", &self.uri.host())
            .field("path", &self.uri.path())
            .field("body", &self.body.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}

impl<F, R, E> CredentialSource for F
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = Result<Credentials, E>> + Send + 'static,
    E: Into<BoxError>,
{
    fn fetch(&self) -> CredentialsFuture<'_> {
        let fetching = self();
        Box::pin(async { fetching.await.map_err(Into::into) })
    }
}

impl<F, R, E> RequestSigner for F
where
    F: Fn(SigningRequest) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Credentials, E>> + Send + 'static,
    E: Into<BoxError>,
{
    fn sign(&self, request: SigningRequest) -> CredentialsFuture<'_> {
        let signing = self(request);
        Box::pin(async { signing.await.map_err(Into::into) })
    }
}
