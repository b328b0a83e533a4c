//! The options of a run and the client that they describe.

use std::{path::PathBuf, time::Duration};

use evenkeel::{
    Client, ConfigError, Profile,
    adapter::Reqwest,
    fallback::{Fallback, Target},
    telemetry::Observer,
};

/// The options of a run.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) input: PathBuf,
    pub(crate) output: PathBuf,
    /// The base URL of the API, with its version.
    pub(crate) url: String,
    /// The environment variable with the API key.
    pub(crate) key_env: String,
    pub(crate) model: String,
    /// A model at the same URL, used when `model` fails.
    pub(crate) fallback_model: Option<String>,
    /// The base URL of another provider, used after the models of the first.
    pub(crate) fallback_url: Option<String>,
    /// The environment variable with the API key of the other provider.
    pub(crate) fallback_key_env: Option<String>,
    /// The number of prompts in flight.
    pub(crate) at_once: usize,
    /// The time limit for one prompt with all its waits.
    pub(crate) deadline: Duration,
    /// The factor by which every time limit is multiplied. The demonstration sets it below 1.
    pub(crate) scale: f64,
}

// === impl Options ===

impl Options {
    /// The client with these targets. The pipeline profile makes a call wait for recovery when all targets are unavailable.
    pub(crate) fn client(&self, observer: impl Observer) -> Result<Client, ConfigError> {
        let profile = Profile::pipeline().deadline(self.deadline);
        // The timeouts of the profile must fit into a shorter deadline.
        let attempt_limit = (self.deadline / 3).min(Duration::from_secs(300));
        let event_limit = attempt_limit.min(Duration::from_secs(60));
        let timeout = evenkeel::timeout::TimeoutPolicy::default().attempt(attempt_limit);
        let profile = profile.timeout(timeout.first_event(event_limit).idle(event_limit));
        let profile = profile.connect(event_limit.min(Duration::from_secs(5))).scaled(self.scale);
        let connect = Duration::from_secs(5).mul_f64(self.scale);
        let mut builder =
            Client::builder().profile(profile).primary(self.primary()).observe(observer);
        if let Some(model) = &self.fallback_model {
            builder = builder.fallback(Fallback::target(self.primary().model(model)));
        }
        if let Some(url) = &self.fallback_url {
            let target = with_key(Target::new(url), self.fallback_key_env.as_deref());
            builder = builder.fallback(Fallback::target(target).named("secondary"));
        }
        builder.build_with(Reqwest::new(connect)?)
    }

    fn primary(&self) -> Target {
        with_key(Target::new(&self.url), Some(&self.key_env)).model(&self.model)
    }
}

/// The target with the key of the environment variable, if the variable is set. A local server needs no key.
fn with_key(target: Target, variable: Option<&str>) -> Target {
    match variable.and_then(|name| std::env::var(name).ok()) {
        Some(key) => target.bearer(&key),
        None => target,
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::{Invocation, tests::read};

    #[test]
    fn any_allowed_deadline_builds_a_client() {
        for seconds in [10, 11, 30, 86_400] {
            let line = format!("--in a --out b --deadline {seconds} --scale 0.05");
            let Ok(Invocation::Run(options)) = read(&line) else { panic!("{line}") };
            let client = options.client(|_: &evenkeel::telemetry::Event| {});
            assert!(client.is_ok(), "{seconds}: {:?}", client.err());
        }
    }
}
