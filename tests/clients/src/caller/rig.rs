//! rig, over reqwest-middleware with evenkeel as its middleware.

use evenkeel::{ClientBuilder, adapter::reqwest_middleware::EvenkeelMiddleware};
use futures_util::StreamExt;
use rig::{
    completion::{CompletionRequest, CompletionResponse, ToolDefinition},
    error::ProviderError,
    providers::openai::{OpenAI, OpenAIConfig},
    rig_reqwest::ReqwestMiddlewareClient,
};

use super::{Caller, How, Middleware, Said, TOOL, parameters, with_sources};
use crate::stage::KEY;

/// rig.
#[derive(Debug)]
pub struct Rig(pub OpenAI);

// === impl Rig ===

impl Rig {
    /// rig's OpenAI client with that middleware around its transport.
    pub fn with(evenkeel: EvenkeelMiddleware, base: &str) -> Self {
        let http = ReqwestMiddlewareClient::from(Middleware::client(evenkeel));
        Self(OpenAIConfig::new(KEY).with_base_url(base).connect(http))
    }

    /// Asks. The error is rig's own.
    pub async fn call(&self, how: How) -> Result<CompletionResponse, ProviderError> {
        let model = self.0.chat("gpt-4o-mini");
        if !how.is_streamed() {
            return model.call(request(how)).await;
        }
        let mut stream = model.stream(request(how))?;
        while let Some(item) = stream.next().await {
            item?;
        }
        stream.finish().await
    }
}

impl Caller for Rig {
    fn new(evenkeel: ClientBuilder, base: &str) -> Self {
        Self::with(EvenkeelMiddleware::new(evenkeel).expect("the configuration is right"), base)
    }

    async fn ask(&self, how: How) -> Result<Said, String> {
        let answer = self.call(how).await.map_err(with_sources)?;
        let call = |call: &rig::message::ToolCall| {
            (call.function.name.to_string(), call.function.arguments.clone().into())
        };
        Ok(Said {
            text: answer.text(),
            model: answer.model().unwrap_or_default().to_owned(),
            usage: answer.usage.output_tokens,
            calls: answer.tool_calls().map(call).collect(),
        })
    }
}

fn request(how: How) -> CompletionRequest {
    let request = CompletionRequest::new("Where is my parcel?");
    if !how.has_tools() {
        return request;
    }
    let name = TOOL.try_into().expect("it is a name");
    request.tool(ToolDefinition::new(name, "Finds", parameters()))
}
