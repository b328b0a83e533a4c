//! An answer that is a failure, as an error.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::{
    Error,
    response::{FailedBody, FailedResponse},
};
use crate::outcome::Verdict;

// === impl Error ===

impl Error {
    /// An answer that is a failure by that verdict.
    pub(crate) fn from_response(verdict: Verdict, response: http::Response<FailedBody>) -> Self {
        let mut error = Self::new(verdict);
        error.0.response = Some(Box::new(FailedResponse::new(response)));
        error
    }

    /// The status of the answer that the error was made from, if there was an answer.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.response.as_ref().map(|response| response.status)
    }

    /// The headers of the answer that the error was made from, if there was an answer: for the provider's request id, which its
    /// support asks for.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.0.response.as_ref().map(|response| &response.headers)
    }

    /// Reads the body of the answer that the error was made from: at most 64 KiB, within 5 s. What arrived is returned if it
    /// fails, stalls or is longer; without an answer it is empty. A second call returns the same.
    ///
    /// Until it is read, or the error is dropped, the body holds its connection. A provider may repeat parts of a prompt in the
    /// message of an error: consider that before you log it.
    pub async fn read_body(&mut self) -> Bytes {
        match &mut self.0.response {
            Some(response) => response.read().await,
            None => Bytes::new(),
        }
    }
}
