//! A common interface for all clients.

mod async_openai;
mod middleware;
mod rig;

use std::{error::Error, future::Future};

use evenkeel::ClientBuilder;
use serde_json::{Value, json};

pub use self::{async_openai::AsyncOpenAi, middleware::Middleware, rig::Rig};

/// A client that asks one question through evenkeel.
pub trait Caller: Send + Sync + Sized {
    /// The client, with evenkeel in it, at that base URL.
    fn new(evenkeel: ClientBuilder, base: &str) -> Self;

    /// Asks, and reads the answer to its end. An error is the client's own error.
    fn ask(&self, how: How) -> impl Future<Output = Result<Said, String>> + Send;
}

/// The form of the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Unary,
    Streamed,
    UnaryTools,
    StreamedTools,
}

/// The answer as the client reports it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    pub text: String,
    pub model: String,
    /// The tokens of the answer, if the client reports them.
    pub usage: Option<u64>,
    /// Tool calls: name and arguments.
    pub calls: Vec<(String, Value)>,
}

// === impl How ===

impl How {
    pub const TEXT: [Self; 2] = [Self::Unary, Self::Streamed];
    pub const TOOLS: [Self; 2] = [Self::UnaryTools, Self::StreamedTools];

    pub fn is_streamed(self) -> bool {
        matches!(self, Self::Streamed | Self::StreamedTools)
    }

    pub fn has_tools(self) -> bool {
        matches!(self, Self::UnaryTools | Self::StreamedTools)
    }

    /// The question as a request of OpenAI.
    fn body(self) -> Value {
        let mut body = json!({
            "model": "gpt-4o-mini",
            "messages": [{"role": "user", "content": "Where is my parcel?"}],
        });
        if self.is_streamed() {
            body["stream"] = true.into();
            body["stream_options"] = json!({"include_usage": true});
        }
        if self.has_tools() {
            let (name, parameters) = (TOOL, parameters());
            let function = json!({"name": name, "description": "Finds", "parameters": parameters});
            body["tools"] = json!([{"type": "function", "function": function}]);
        }
        body
    }
}

/// The name of the tool.
pub const TOOL: &str = "find_parcel";

fn parameters() -> Value {
    json!({"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]})
}

/// An error and all its sources, in one line.
fn with_sources(error: impl Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}
