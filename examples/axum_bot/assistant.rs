//! The assistant: where questions are sent, and what answers them when that fails.

use std::time::Duration;

use evenkeel::{
    Client, ClientBuilder, Profile, Request,
    fallback::{Canned, CannedContext, Fallback},
};
use serde_json::{Value, json};

use crate::{
    app::BoxError,
    ask::{Question, Turn},
    language::Language,
    providers::Providers,
};

/// A visitor waits this long for the first word of an answer, with all attempts and fallbacks.
const DEADLINE: Duration = Duration::from_secs(12);

const INSTRUCTIONS: &str =
    "You answer the customers of a shop, in at most five sentences and in their language.";

/// One client for the whole program. It is cloned for each question, and the clones share the breakers.
pub(crate) fn client(providers: &Providers) -> Result<Client, BoxError> {
    let builder = builder(providers);
    if providers.embedded.is_none() {
        return Ok(builder.build()?);
    }
    // Embedded providers are on this machine: a proxy of the environment cannot reach them.
    let http = reqwest::Client::builder().no_proxy().build()?;
    Ok(builder.build_with_reqwest(http)?)
}

/// The primary, then the backup if there is one, then a canned reply.
pub(crate) fn builder(providers: &Providers) -> ClientBuilder {
    let builder = Client::builder()
        .profile(Profile::interactive().deadline(DEADLINE))
        .primary(providers.endpoints.primary.target());
    let builder = match &providers.endpoints.backup {
        Some(backup) => builder.fallback(Fallback::target(backup.target()).named("backup")),
        None => builder,
    };
    builder.fallback(Fallback::reply(Canned::from_context(canned_reply)))
}

/// The canned reply, in the language of the visitor.
fn canned_reply(context: &CannedContext<'_>) -> String {
    let language = context.request().extensions().get().copied();
    let language: Language = language.unwrap_or_default();
    language.texts().canned.into()
}

/// The request for the answer to a question. Its target sets the address, the model and the key.
pub(crate) fn request(question: &Question, language: Language) -> Request {
    let system = json!({ "role": "system", "content": INSTRUCTIONS });
    let turns = question.turns.iter().map(message);
    let messages: Vec<Value> = std::iter::once(system).chain(turns).collect();
    let body = json!({ "stream": true, "messages": messages }).to_string();
    http::Request::post("/v1/chat/completions")
        .header(http::header::CONTENT_TYPE, "application/json")
        // Extensions are not sent: the language is for the canned reply.
        .extension(language)
        .body(body.into())
        .expect("the path and the header are constants and valid")
}

fn message(turn: &Turn) -> Value {
    match turn {
        Turn::Visitor(text) => json!({ "role": "user", "content": text }),
        Turn::Bot(text) => json!({ "role": "assistant", "content": text }),
    }
}
