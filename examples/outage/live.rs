//! The condensed day over loopback sockets: each client with a primary and a secondary of its own.

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
    plan::Plan,
    play::{Failure, Part, Place, one},
    progress::Bars,
};

/// Plays all four clients at once.
pub(crate) fn play(plan: &Plan, bars: &Bars) -> Result<Vec<Part>, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let played = runtime.block_on(async {
        let [plain, retries, evenkeel, steps] = NAMES.map(|name| client(plan, name, bars));
        let (plain, retries, evenkeel, steps) = tokio::try_join!(plain, retries, evenkeel, steps)?;
        Ok(vec![plain, retries, evenkeel, steps])
    });
    // Connections that are still open are nobody's any more.
    runtime.shutdown_background();
    played
}

async fn client(plan: &Plan, name: &str, bars: &Bars) -> Result<Part, Failure> {
    let stage = plan.drill().stage();
    let primary = Server::start(stage.primary().clone()).await?;
    let secondary = Server::start(stage.secondary().clone()).await?;
    let (client, servers) = (reqwest(plan, name)?, [&primary, &secondary]);
    let (stage, secondary) = (stage.at(primary.url()), secondary.url());
    if NAMES[..2].contains(&name) {
        let transport = noting(servers, bare(client));
        return one(plan, name, Place { stage, transport, secondary }, bars).await;
    }
    let transport = noting(servers, Reqwest::with(client));
    one(plan, name, Place { stage, transport, secondary }, bars).await
}

/// A client as it is: whatever becomes of a kept connection is its caller's to see.
fn bare(client: reqwest::Client) -> impl Upstream {
    service_fn(move |request: Request| {
        let client = client.clone();
        async move {
            let sent = async { client.execute(request.try_into()?).await };
            let response: http::Response<reqwest::Body> = sent.await.map_err(failed)?.into();
            Ok(response.map(Body::wrap))
        }
    })
}

fn failed(error: reqwest::Error) -> Error {
    let outcome = if error.is_connect() { Outcome::Unreachable } else { Outcome::ConnectionLost };
    Error::new(outcome).with_source(error)
}

/// What each client goes through: no proxy, which a machine may have; the rest as each would have it.
fn reqwest(plan: &Plan, name: &str) -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().no_proxy();
    if name == NAMES[0] {
        return builder.build();
    }
    let connect = Duration::from_secs(5).mul_f64(plan.scale());
    builder.connect_timeout(connect).retry(reqwest::retry::never()).build()
}

/// Tells a provider of the attempts that its closed, or closing, door turned away: nobody else knows of them.
fn noting(servers: [&Server; 2], transport: impl Upstream) -> impl Upstream {
    let doors = servers.map(|server| Door {
        port: server.address().port(),
        provider: server.provider().clone(),
        knocks: Arc::default(),
    });
    service_fn(move |request: Request| {
        let door = doors.iter().find(|door| request.uri().port_u16() == Some(door.port)).cloned();
        let transport = transport.clone();
        async move {
            let headers = request.headers().clone();
            let knock = door.map(|door| (door.knock(&headers), door));
            let result = transport.oneshot(request).await;
            if let (Err(error), Some((call, door))) = (&result, knock) {
                if error.is_connect() || door.missed(call) {
                    door.provider.note_refused(&headers);
                }
            }
            result
        }
    })
}

/// A provider as its clients know it: how many attempts of each call were sent to it.
#[derive(Clone)]
struct Door {
    port: u16,
    provider: Provider,
    knocks: Arc<Mutex<HashMap<u64, usize>>>,
}

// === impl Door ===

impl Door {
    /// Counts an attempt, and tells of which call.
    fn knock(&self, headers: &HeaderMap) -> Option<u64> {
        let call = headers.get("x-drill-call")?.to_str().ok()?.parse().ok()?;
        *self.knocks.lock().ok()?.entry(call).or_default() += 1;
        Some(call)
    }

    /// Whether the provider has not seen all attempts of that call: a connection that waited when the door closed is
    /// reset, and not refused.
    fn missed(&self, call: Option<u64>) -> bool {
        let Some(sent) = call.and_then(|call| self.knocks.lock().ok()?.get(&call).copied()) else {
            return false;
        };
        let seen = self.provider.attempts().iter().filter(|attempt| attempt.call == call).count();
        seen < sent
    }
}
