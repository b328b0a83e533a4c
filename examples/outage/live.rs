//! The condensed day over loopback sockets: each client with a primary and a secondary of its own.

use evenkeel::{
    Request, Upstream,
    adapter::Reqwest,
    testkit::{Provider, Server},
};
use tower::{ServiceExt, service_fn};

use super::{
    clients::NAMES,
    plan::Plan,
    play::{Failure, Part, Place, one},
    progress::Bars,
};

/// Plays all three clients at once.
pub(crate) fn play(plan: &Plan, bars: &Bars) -> Result<Vec<Part>, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let played = runtime.block_on(async {
        let [plain, retries, evenkeel] = NAMES.map(|name| client(plan, name, bars));
        let (plain, retries, evenkeel) = tokio::try_join!(plain, retries, evenkeel)?;
        Ok(vec![plain, retries, evenkeel])
    });
    // Connections that are still open are nobody's any more.
    runtime.shutdown_background();
    played
}

async fn client(plan: &Plan, name: &str, bars: &Bars) -> Result<Part, Failure> {
    let stage = plan.drill().stage();
    let primary = Server::start(stage.primary().clone()).await?;
    let secondary = Server::start(stage.secondary().clone()).await?;
    let transport = Reqwest::with(reqwest(plan, name)?);
    let transport = noting([&primary, &secondary], transport);
    let stage = stage.at(primary.url());
    one(plan, name, Place { stage, transport, secondary: secondary.url() }, bars).await
}

/// What each client goes through: no proxy, which a machine may have; the rest as each would have it.
fn reqwest(plan: &Plan, name: &str) -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().no_proxy();
    if name == NAMES[0] {
        return builder.build();
    }
    let connect = std::time::Duration::from_secs(5).mul_f64(plan.scale());
    builder.connect_timeout(connect).retry(reqwest::retry::never()).build()
}

/// Tells a provider of the connections that its closed door refused: nobody else knows of them.
fn noting(servers: [&Server; 2], transport: impl Upstream) -> impl Upstream {
    let doors = servers.map(|server| (server.address().port(), server.provider().clone()));
    service_fn(move |request: Request| {
        let (transport, provider) = (transport.clone(), behind(&doors, &request));
        async move {
            let headers = request.headers().clone();
            let result = transport.oneshot(request).await;
            if let (Err(error), Some(provider)) = (&result, provider) {
                if error.is_connect() {
                    provider.note_refused(&headers);
                }
            }
            result
        }
    })
}

fn behind(doors: &[(u16, Provider)], request: &Request) -> Option<Provider> {
    let port = request.uri().port_u16()?;
    doors.iter().find(|door| door.0 == port).map(|door| door.1.clone())
}
