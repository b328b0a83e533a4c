//! The condensed incident over loopback sockets. Each client has its own primary and secondary.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use evenkeel::{Body, Error, Request, Upstream, adapter::Reqwest, outcome::Outcome};
use evenkeel_testkit::{Provider, Server};
use http::HeaderMap;
use tower::{ServiceExt, service_fn};

use super::{
    clients::NAMES,
    plan::RunPlan,
    play::{BoxError, ClientEnvironment, ClientResult, one_client},
    progress::Bars,
};

/// Plays the incident against all four clients at once.
pub(crate) fn play(plan: &RunPlan, bars: &Bars) -> Result<Vec<ClientResult>, BoxError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let results = runtime.block_on(async {
        let [plain, retries, evenkeel, steps] = NAMES.map(|name| play_client(plan, name, bars));
        let (plain, retries, evenkeel, steps) = tokio::try_join!(plain, retries, evenkeel, steps)?;
        Ok(vec![plain, retries, evenkeel, steps])
    });
    // No result depends on the connections that are still open.
    runtime.shutdown_background();
    results
}

async fn play_client(plan: &RunPlan, name: &str, bars: &Bars) -> Result<ClientResult, BoxError> {
    let harness = plan.scenario().harness();
    let primary = Server::start(harness.primary().clone()).await?;
    let secondary = Server::start(harness.secondary().clone()).await?;
    let (client, servers) = (reqwest_client(plan, name)?, [&primary, &secondary]);
    let (harness, secondary) = (harness.base_url(primary.url()), secondary.url());
    if NAMES[..2].contains(&name) {
        let transport = counting(servers, without_reconnect(client));
        let environment = ClientEnvironment { harness, transport, secondary };
        return one_client(plan, name, environment, bars).await;
    }
    let transport = counting(servers, Reqwest::from_client(client));
    let environment = ClientEnvironment { harness, transport, secondary };
    one_client(plan, name, environment, bars).await
}

/// The plain reqwest client. The failure of a kept connection is returned to the caller.
fn without_reconnect(client: reqwest::Client) -> impl Upstream {
    service_fn(move |request: Request| {
        let client = client.clone();
        async move {
            let result = async { client.execute(request.try_into()?).await }.await;
            let response: http::Response<reqwest::Body> = result.map_err(to_error)?.into();
            Ok(response.map(Body::wrap))
        }
    })
}

fn to_error(error: reqwest::Error) -> Error {
    let outcome = if error.is_connect() { Outcome::Unreachable } else { Outcome::ConnectionLost };
    Error::new(outcome).with_source(error)
}

/// The reqwest client under the client of that name. Proxies of the environment are ignored.
fn reqwest_client(plan: &RunPlan, name: &str) -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().no_proxy();
    if name == NAMES[0] {
        return builder.build();
    }
    let connect = Duration::from_secs(5).mul_f64(plan.scale());
    builder.connect_timeout(connect).retry(reqwest::retry::never()).build()
}

/// Reports refused attempts to their provider, which cannot count attempts that never reach its socket.
fn counting(servers: [&Server; 2], transport: impl Upstream) -> impl Upstream {
    let counters = servers.map(|server| AttemptCounter {
        port: server.address().port(),
        provider: server.provider().clone(),
        sent: Arc::default(),
    });
    service_fn(move |request: Request| {
        let port = request.uri().port_u16();
        let counter = counters.iter().find(|counter| port == Some(counter.port)).cloned();
        let transport = transport.clone();
        async move {
            let headers = request.headers().clone();
            let counted = counter.map(|counter| (counter.count(&headers), counter));
            let result = transport.oneshot(request).await;
            if let (Err(error), Some((call, counter))) = (&result, counted) {
                if error.is_connect() || counter.has_unseen(call) {
                    counter.provider.note_refused(&headers);
                }
            }
            result
        }
    })
}

/// Counts the attempts of each call that were sent to one provider.
#[derive(Clone)]
struct AttemptCounter {
    port: u16,
    provider: Provider,
    /// The number of attempts sent, by the number of the call.
    sent: Arc<Mutex<HashMap<u64, usize>>>,
}

// === impl AttemptCounter ===

impl AttemptCounter {
    /// Counts an attempt and returns the number of its call.
    fn count(&self, headers: &HeaderMap) -> Option<u64> {
        let call = headers.get("x-scenario-call")?.to_str().ok()?.parse().ok()?;
        *self.sent.lock().ok()?.entry(call).or_default() += 1;
        Some(call)
    }

    /// Whether the provider has seen fewer attempts of the call than were sent. A connection in the accept queue of a
    /// listener that closes is reset instead of refused.
    fn has_unseen(&self, call: Option<u64>) -> bool {
        let Some(sent) = call.and_then(|call| self.sent.lock().ok()?.get(&call).copied()) else {
            return false;
        };
        let seen = self.provider.attempts().iter().filter(|attempt| attempt.call == call).count();
        seen < sent
    }
}
