//! async-openai, with evenkeel as its HTTP service.

use async_openai::{
    Client,
    config::OpenAIConfig,
    error::OpenAIError,
    types::chat::{ChatCompletionMessageToolCalls, CreateChatCompletionRequest},
};
use evenkeel::{ClientBuilder, adapter::async_openai::EvenkeelService};
use futures_util::StreamExt;

use super::{Caller, How, Said, with_sources};
use crate::stage::KEY;

/// async-openai.
#[derive(Debug)]
pub struct AsyncOpenAi(pub Client<OpenAIConfig>);

// === impl AsyncOpenAi ===

impl AsyncOpenAi {
    /// The client with its own transport and retries.
    pub fn without(base: &str) -> Client<OpenAIConfig> {
        Client::with_config(OpenAIConfig::new().with_api_base(base).with_api_key(KEY))
    }

    /// The question as a request of async-openai.
    pub fn question(how: How) -> CreateChatCompletionRequest {
        serde_json::from_value(how.body()).expect("it is a request of that API")
    }

    async fn whole(&self, how: How) -> Result<Said, OpenAIError> {
        let answer = self.0.chat().create(Self::question(how)).await?;
        let mut said = Said { model: answer.model, ..Said::default() };
        said.usage = answer.usage.map(|usage| usage.completion_tokens.into());
        for choice in answer.choices {
            said.text += &choice.message.content.unwrap_or_default();
            for call in choice.message.tool_calls.unwrap_or_default() {
                let ChatCompletionMessageToolCalls::Function(call) = call else { continue };
                said.calls.push((call.function.name, read(&call.function.arguments)?));
            }
        }
        Ok(said)
    }

    async fn streamed(&self, how: How) -> Result<Said, OpenAIError> {
        let mut stream = self.0.chat().create_stream(Self::question(how)).await?;
        let (mut said, mut call) = (Said::default(), (String::new(), String::new()));
        while let Some(chunk) = stream.next().await {
            let chunk = chunk?;
            said.model = chunk.model;
            said.usage = chunk.usage.map(|usage| usage.completion_tokens.into()).or(said.usage);
            for choice in chunk.choices {
                said.text += &choice.delta.content.unwrap_or_default();
                let pieces = choice.delta.tool_calls.into_iter().flatten();
                for function in pieces.filter_map(|piece| piece.function) {
                    call.0 += &function.name.unwrap_or_default();
                    call.1 += &function.arguments.unwrap_or_default();
                }
            }
        }
        if !call.0.is_empty() {
            said.calls.push((call.0, read(&call.1)?));
        }
        Ok(said)
    }
}

impl Caller for AsyncOpenAi {
    fn new(evenkeel: ClientBuilder, base: &str) -> Self {
        let service = EvenkeelService::new(evenkeel.build().expect("the configuration is right"));
        Self(Self::without(base).with_http_service(service))
    }

    async fn ask(&self, how: How) -> Result<Said, String> {
        let said = if how.is_streamed() { self.streamed(how).await } else { self.whole(how).await };
        said.map_err(with_sources)
    }
}

fn read(arguments: &str) -> Result<serde_json::Value, OpenAIError> {
    let json = serde_json::from_str(arguments);
    json.map_err(|error| OpenAIError::JSONDeserialize(error, arguments.to_owned()))
}
