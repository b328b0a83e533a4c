//! `--check`: asks every target once, and reports what each answered.

use evenkeel::{
    Client, ClientBuilder, Profile, Rehearsal, Request,
    dialect::Dialect,
    fallback::{Fallback, FallbackPolicy, Target},
    identity::IdentityPolicy,
    rehearsal::RehearsedTarget,
};
use http::{HeaderValue, Uri, header};
use serde_json::json;

use crate::transport::Transport;

/// What `--check` checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckScope {
    /// The command line and the file alone, without a network.
    Config,
    /// Also every target, by one small request each.
    Targets,
}

/// A fallback with its targets, to be asked once each.
#[derive(Debug)]
pub(crate) struct PlannedCheck {
    name: String,
    client: Client,
    targets: Vec<Target>,
}

/// What to check, once the configuration is read.
#[derive(Debug)]
pub(crate) enum CheckPlan {
    /// It is valid: nothing more.
    Config,
    Targets {
        checks: Vec<PlannedCheck>,
        /// The model of targets without one.
        model: Option<String>,
    },
}

/// What all checks share.
pub(crate) struct CheckSetup<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) identity: Option<&'a IdentityPolicy>,
    pub(crate) transport: evenkeel::adapter::Reconnect<Transport>,
}

/// The result of all checks.
#[derive(Debug)]
pub(crate) struct CheckReport {
    rehearsal: Rehearsal,
    /// The fallbacks that could not be asked, by name, and why.
    unasked: Vec<(String, String)>,
}

const QUESTION: &str = "Reply with: ok";

pub(crate) fn scope(text: &str) -> Result<CheckScope, String> {
    match text {
        "config" => Ok(CheckScope::Config),
        "targets" => Ok(CheckScope::Targets),
        _ => Err(format!("is {text:?}; allowed is config or targets, or no value for targets")),
    }
}

// === impl PlannedCheck ===

impl PlannedCheck {
    /// A check of a fallback alone: with its edits and its credentials.
    pub(crate) fn new(
        name: &str,
        fallback: Fallback,
        targets: Vec<Target>,
        setup: &CheckSetup<'_>,
    ) -> Result<Self, evenkeel::ConfigError> {
        let builder = setup.identity.cloned().into_iter();
        let builder = builder.fold(Client::builder(), ClientBuilder::identity);
        let builder = builder
            .profile(setup.profile.clone().wait_for_recovery(false))
            .fallback_policy(FallbackPolicy::new().first(fallback));
        let client = builder.build_with(setup.transport.clone())?;
        Ok(Self { name: name.to_owned(), client, targets })
    }

    /// Asks the targets; or why that is not possible. `origin` is the upstream of targets without a base URL, `model` is for those
    /// without one.
    async fn run(&self, origin: &Uri, model: Option<&str>) -> Result<Rehearsal, String> {
        let unasked = |why: &str| format!("NOT ASKED: {why}");
        let own = self.targets.iter().find_map(Target::model_name);
        let modelless = self.targets.iter().any(|target| target.model_name().is_none());
        let Some(model) = model.filter(|_| modelless).or(own.filter(|_| !modelless)) else {
            let what = "it has no model; allowed is a model in the file, or --check-model MODEL";
            return Err(unasked(what));
        };
        let base = self.targets.iter().find_map(Target::base_url).unwrap_or(origin);
        let declared = self.targets.iter().find_map(Target::declared_dialect);
        let request = request(base, declared.unwrap_or_else(|| guess(base)), model);
        let request = request.map_err(|error| unasked(&error.to_string()))?;
        Ok(self.client.rehearse(&request).await)
    }
}

/// Asks every target, one fallback after the other.
pub(crate) async fn run(checks: &[PlannedCheck], origin: &Uri, model: Option<&str>) -> CheckReport {
    let (mut rehearsals, mut unasked) = (Vec::new(), Vec::new());
    for check in checks {
        match check.run(origin, model).await {
            Ok(rehearsal) => rehearsals.push(rehearsal),
            Err(why) => unasked.push((check.name.clone(), why)),
        }
    }
    CheckReport { rehearsal: rehearsals.into_iter().collect(), unasked }
}

/// The dialect of a target, by its address. A target at another one declares it in the file.
fn guess(base: &Uri) -> Dialect {
    let (host, path) = (base.host().unwrap_or_default(), base.path().trim_end_matches('/'));
    let at = |domain: &str| host == domain || host.ends_with(&format!(".{domain}"));
    match () {
        () if at("anthropic.com") => Dialect::Anthropic,
        () if at("generativelanguage.googleapis.com") && !path.ends_with("/openai") => {
            Dialect::Gemini
        }
        () if path.ends_with("/api") && base.port_u16() == Some(11434) => Dialect::Ollama,
        () => Dialect::OpenAiChat,
    }
}

/// A small request in a dialect, as a client of that API would send it to the gateway.
fn request(base: &Uri, dialect: Dialect, model: &str) -> Result<Request, http::Error> {
    let message = json!([{"role": "user", "content": QUESTION}]);
    let gemini = format!("/v1beta/models/{model}:generateContent");
    let (path, body) = match dialect {
        Dialect::OpenAiResponses => ("/v1/responses", json!({"model": model, "input": QUESTION})),
        Dialect::Anthropic => {
            ("/v1/messages", json!({"model": model, "max_tokens": 16, "messages": message}))
        }
        Dialect::Gemini => {
            (&*gemini, json!({"contents": [{"role": "user", "parts": [{"text": QUESTION}]}]}))
        }
        Dialect::Ollama => {
            ("/api/chat", json!({"model": model, "stream": false, "messages": message}))
        }
        _ => ("/v1/chat/completions", json!({"model": model, "messages": message})),
    };
    let mut uri = base.clone().into_parts();
    uri.path_and_query = Some(path.parse()?);
    let request = http::Request::post(Uri::from_parts(uri)?)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT_ENCODING, "identity");
    let mut request = request.body(body.to_string().into())?;
    if dialect == Dialect::Anthropic {
        request.headers_mut().insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    }
    Ok(request)
}

// === impl CheckReport ===

impl CheckReport {
    /// Whether every target was asked, and answered.
    pub(crate) fn is_ok(&self) -> bool {
        self.unasked.is_empty() && self.rehearsal.all_ok()
    }

    /// The targets that were asked.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &RehearsedTarget> {
        self.rehearsal.iter()
    }

    /// The fallbacks that could not be asked, by name, and why.
    pub(crate) fn unasked(&self) -> &[(String, String)] {
        &self.unasked
    }
}

impl std::fmt::Display for CheckReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let asked = self.rehearsal.iter().next().is_some();
        let table = asked.then(|| self.rehearsal.to_string());
        let unasked = self.unasked.iter().map(|(name, why)| format!("{name}  {why}"));
        let lines: Vec<_> = table.into_iter().chain(unasked).collect();
        f.write_str(if lines.is_empty() {
            "there is no target to ask: an upstream has the keys of its callers"
        } else {
            ""
        })?;
        f.write_str(&lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_of_a_target_follows_from_its_address() {
        for (base, dialect) in [
            ("https://api.openai.com/v1", Dialect::OpenAiChat),
            ("https://api.anthropic.com", Dialect::Anthropic),
            ("https://notanthropic.com", Dialect::OpenAiChat),
            ("https://generativelanguage.googleapis.com/v1beta", Dialect::Gemini),
            ("https://generativelanguage.googleapis.com/v1beta/openai/", Dialect::OpenAiChat),
            ("http://localhost:11434/api", Dialect::Ollama),
            ("http://localhost:11434/v1", Dialect::OpenAiChat),
        ] {
            assert_eq!(guess(&base.parse().unwrap()), dialect, "{base}");
        }
    }

    #[test]
    fn every_dialect_has_a_request_that_is_read_as_one_of_it() {
        let base: Uri = "https://a.example/v1".parse().unwrap();
        for dialect in [
            Dialect::OpenAiChat,
            Dialect::OpenAiResponses,
            Dialect::Anthropic,
            Dialect::Gemini,
            Dialect::Ollama,
        ] {
            let request = request(&base, dialect, "m").unwrap();
            assert_eq!(Dialect::of_path(request.uri().path()), Some(dialect));
        }
    }
}
