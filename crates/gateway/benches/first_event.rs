//! The time to the first event of a stream, through the gateway and without it; the bytes have to be the same.
//!
//! Provider, gateway and client each run in a process of their own. The same streams are requested alternately in one run,
//! directly and through the gateway, each way on one kept connection.
//!
//! ```text
//! cargo bench -p evenkeel-gateway
//! ```

use std::{io::Write, process::ExitCode, time::Duration};

use evenkeel_testkit::{Provider, Reply, Server};
use tokio::time::Instant;

#[path = "support/process.rs"]
mod process;

use process::{Any, Process};

const STREAMS: usize = 100;
const QUESTION: &str =
    r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"Tell me a story."}]}"#;

/// One stream, as received.
struct Read {
    first: Duration,
    whole: Duration,
    bytes: Vec<u8>,
}

/// The provider's process: it serves until its standard input closes, when its parent ends.
async fn provide() -> Result<(), Any> {
    let reply = Reply::answer().between_events(Duration::from_millis(1));
    let server = Server::start(Provider::new("primary").always(reply)).await?;
    println!("{}", server.url());
    std::io::stdout().flush()?;
    tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await?;
    Ok(())
}

async fn read(client: &reqwest::Client, url: &str) -> Result<Read, Any> {
    let start = Instant::now();
    let request = client.post(format!("{url}/v1/chat/completions")).body(QUESTION);
    let mut response = request.send().await?.error_for_status()?;
    let mut bytes = Vec::new();
    let mut first = None;
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if first.is_none() && has_content(&bytes) {
            first = Some(start.elapsed());
        }
    }
    Ok(Read { first: first.ok_or("no content came")?, whole: start.elapsed(), bytes })
}

/// Whether an event with words has arrived. evenkeel holds back an event that has only a role.
fn has_content(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut deltas = text.split("\"content\":\"").skip(1);
    deltas.any(|delta| !delta.starts_with('"'))
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}

async fn compare() -> Result<(), Any> {
    let provider = Process::start(&std::env::current_exe()?, &["provide"])?;
    let gateway = Process::gateway(&provider.url, &[])?;
    let clients = [(); 2].map(|()| reqwest::Client::builder().no_proxy().build());
    let [direct, through] = clients;
    let ways = [(direct?, &provider.url), (through?, &gateway.url)];
    let mut seen: [Vec<Read>; 2] = Default::default();
    for n in 0..=STREAMS {
        // Each way is first every other time, so that a slowdown of the machine favours neither.
        for which in [n % 2, (n + 1) % 2] {
            let (client, url) = &ways[which];
            let one = read(client, url).await?;
            // The first round opens connections and fills caches.
            if n > 0 {
                seen[which].push(one);
            }
        }
    }
    let equal = seen[0].iter().zip(&seen[1]).filter(|(a, b)| a.bytes == b.bytes).count();
    let bytes = seen[0][0].bytes.len();
    let first = [0, 1].map(|which| median(seen[which].iter().map(|read| read.first).collect()));
    let whole = [0, 1].map(|which| median(seen[which].iter().map(|read| read.whole).collect()));
    println!("{STREAMS} streams of {bytes} bytes each way, alternately: medians in ms");
    println!("{:>14} {:>9} {:>9} {:>9}", "", "direct", "gateway", "more");
    for (name, [direct, through]) in [("first content", first), ("whole", whole)] {
        println!("{name:>14} {direct:>9.3} {through:>9.3} {:>9.3}", through - direct);
    }
    println!("{equal} of {STREAMS} are equal byte for byte");
    if equal == STREAMS { Ok(()) } else { Err("the bytes differ".into()) }
}

fn main() -> ExitCode {
    let what = std::env::args_os().nth(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime.map_err(Any::from).and_then(|runtime| match what {
        Some(what) if what == "provide" => runtime.block_on(provide()),
        _ => runtime.block_on(compare()),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("first_event: {error}");
            ExitCode::FAILURE
        }
    }
}
