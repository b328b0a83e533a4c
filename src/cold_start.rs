//! Servers that load a model on demand: which of them have answered lately.
//!
//! Ollama and llama.cpp load a model when the first call for it arrives, which takes 10 to 60 s, and abort the load when the
//! caller leaves. A limit that is shorter than the load therefore fails every call: each one starts the load again. So an attempt
//! at a model that is not known to be loaded has more time.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Uri;
use tokio::time::Instant;

use crate::{
    Request,
    context::{CallContext, Route, Routes},
    dialect::Dialect,
    route_state::{AtRest, Rest, Slot},
    sync::lock_std as lock,
};

/// The time that a model may take to load and to answer: 2 min. Models of a few billion parameters load within 10 to 60 s.
pub(crate) const COLD_START: Duration = Duration::from_secs(120);

/// How long a model stays loaded after an answer: 5 min, the default `keep_alive` of Ollama.
const LOADED: Duration = Duration::from_secs(300);

/// The routes of servers that load models on demand, with their last answers.
#[derive(Clone, Debug)]
pub(crate) struct ColdStarts(Slot<LastAnswer>);

/// The state of one model when a call or an attempt began.
#[derive(Clone, Debug)]
pub(crate) struct ModelLoad {
    last: Arc<LastAnswer>,
    cold: bool,
}

/// The time of the last answer of a route.
#[derive(Debug, Default)]
struct LastAnswer(Mutex<Option<Instant>>);

// === impl ColdStarts ===

impl ColdStarts {
    /// Creates a registry of its own, since only few routes lead to such servers.
    pub(crate) fn new() -> Self {
        Self(Slot::new(&Routes::new()))
    }

    /// The state of the model at `route`, if its server may load models on demand: it has a private address, or is asked in the
    /// dialect of Ollama.
    pub(crate) fn load(
        &self,
        request: &mut Request,
        route: impl FnOnce(&mut Request) -> Route,
        now: Instant,
    ) -> Option<ModelLoad> {
        if !loads_models(request) {
            return None;
        }
        let last = self.0.find(&route(request), now, |_| LastAnswer::default());
        let cold = last.is_cold(now);
        Some(ModelLoad { last, cold })
    }
}

// === impl ModelLoad ===

impl ModelLoad {
    /// Whether the model had not answered lately: it may have to be loaded first.
    pub(crate) fn is_cold(&self) -> bool {
        self.cold
    }

    /// Records an answer.
    pub(crate) fn answered(&self, now: Instant) {
        *lock(&self.last.0) = Some(now);
    }
}

// === impl LastAnswer ===

impl LastAnswer {
    fn is_cold(&self, now: Instant) -> bool {
        lock(&self.0).is_none_or(|last| now.saturating_duration_since(last) >= LOADED)
    }
}

impl AtRest for LastAnswer {
    fn rest(&self, now: Instant) -> Rest {
        if self.is_cold(now) { Rest::Settled } else { Rest::Fading }
    }
}

fn loads_models(request: &mut Request) -> bool {
    is_private(request.uri()) || CallContext::info(request).dialect() == Some(Dialect::Ollama)
}

/// Whether the server is on this machine or in its network: a private, loopback, link-local or shared address (RFC 1918, 4193,
/// 6598), or a name that is reserved for such. The default port of Ollama counts as well, as containers have names of any kind.
fn is_private(uri: &Uri) -> bool {
    const OLLAMA: u16 = 11434;
    let Some(host) = uri.host() else { return false };
    if uri.port_u16() == Some(OLLAMA) {
        return true;
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse() {
        Ok(IpAddr::V4(ip)) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || shared
        }
        Ok(IpAddr::V6(ip)) => {
            let first = ip.segments()[0];
            ip.is_loopback() || first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80
        }
        Err(_) => is_private_name(bare),
    }
}

/// The names are reserved (RFC 6761, 6762, 8375), or common in private networks.
fn is_private_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let suffixes = [".localhost", ".local", ".internal", ".home.arpa", ".lan"];
    host == "localhost" || suffixes.iter().any(|suffix| host.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str) -> Request {
        http::Request::post(uri).body("{}".into()).expect("a valid request")
    }

    #[test]
    fn a_private_host_has_a_private_address_or_a_reserved_name() {
        let private = |host: &str| is_private(&format!("http://{host}/v1").parse().expect("a URI"));
        for host in [
            "127.0.0.1:11434",
            "localhost",
            "10.0.0.7",
            "192.168.1.20:8080",
            "172.16.0.1",
            "169.254.1.1",
            "100.100.1.1",
            "[::1]:11434",
            "[fd00::1]",
            "[fe80::1]",
            "ollama:11434",
            "gpu.local",
            "GPU.Local",
            "host.docker.internal",
            "box.lan",
        ] {
            assert!(private(host), "{host}");
        }
        for host in [
            "api.openai.com",
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "[2001:db8::1]",
            "local.example.com",
            "ollama",
        ] {
            assert!(!private(host), "{host}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_model_is_cold_until_it_answers_and_when_it_has_not_for_five_minutes() {
        let (starts, route) = (ColdStarts::new(), || Route::new("localhost", "m", "-"));
        let load = |now| {
            let load =
                starts.load(&mut request("http://localhost/v1/chat/completions"), |_| route(), now);
            load.expect("it is private")
        };
        let start = Instant::now();
        assert!(load(start).is_cold());
        load(start).answered(start);
        assert!(!load(start + LOADED - Duration::from_millis(1)).is_cold());
        assert!(load(start + LOADED).is_cold());
    }

    #[test]
    fn only_private_hosts_and_the_dialect_of_ollama_load_models() {
        let loads = |uri: &str| loads_models(&mut request(uri));
        assert!(loads("http://localhost/v1/chat/completions"));
        assert!(loads("https://ollama.example.com/api/chat"));
        assert!(!loads("https://api.openai.com/v1/chat/completions"));
    }
}
