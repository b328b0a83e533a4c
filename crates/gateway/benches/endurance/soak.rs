//! Calls under every fault, some of them cancelled: every call gets one answer, and nothing stays behind.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::Client;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use super::{
    answer::{Answer, read, request},
    faults::Provide,
    process::{Any, Process},
};

/// Calls under every fault.
#[derive(clap::Args, Debug)]
pub(crate) struct Soak {
    /// How long there are faults, in seconds.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// How many calls are under way at the same time.
    #[arg(long, default_value_t = 64)]
    tasks: u64,
}

/// The number of calls by their result.
#[derive(Debug, Default)]
struct Counts {
    next: AtomicU64,
    cancelled: AtomicU64,
    whole: AtomicU64,
    refused: AtomicU64,
    broken: AtomicU64,
    wrong: Mutex<BTreeMap<&'static str, u64>>,
    over: AtomicBool,
}

/// Memory and descriptors over time.
#[derive(Debug, Default)]
struct Samples(Vec<(u64, u64, usize)>);

/// Limits that end a fault in seconds, so that there are many.
const CONFIG: &str = "[limits]\ndeadline = 5\nattempt = 1\nfirst_event = 0.7\nidle = 0.7\nstream_total = 5\nconnections = 1024\n";
/// One call in this many is cancelled.
const CANCELLED: u64 = 7;
/// After this time memory has to be flat.
const WARM: u64 = 120;
/// The growth after it that counts as flat: a twentieth, or 2 MiB where that is more.
const FLAT_KIB: u64 = 2048;

// === impl Soak ===

impl Soak {
    pub(crate) async fn run(self) -> Result<(), Any> {
        let provider = Provide::start("faults", self.seconds)?;
        let file = std::env::temp_dir().join(format!("evenkeel-soak-{}.toml", std::process::id()));
        std::fs::write(&file, CONFIG)?;
        let path = file.to_str().ok_or("the temporary folder is not UTF-8")?;
        let gateway = Process::gateway(&provider.url, &["--config", path]);
        let gateway = gateway?;
        let before = gateway.descriptors()?;
        let counts = Arc::new(Counts::default());
        let client = Client::builder().no_proxy().retry(reqwest::retry::never()).build()?;
        let callers: Vec<_> = (0..self.tasks)
            .map(|_| tokio::spawn(call(client.clone(), gateway.url.clone(), counts.clone())))
            .collect();
        let samples = self.sample(&gateway, &counts).await?;
        counts.over.store(true, Ordering::Relaxed);
        for caller in callers {
            caller.await?;
        }
        drop(client);
        let closed = closed_after(&gateway).await?;
        std::fs::remove_file(&file)?;
        report(&counts, &samples, closed, before, &gateway).await
    }

    /// A sample each second, and a line each minute.
    async fn sample(&self, gateway: &Process, counts: &Counts) -> Result<Samples, Any> {
        let mut samples = Samples::default();
        for second in 1..=self.seconds {
            sleep(Duration::from_secs(1)).await;
            let (rss, descriptors) = (gateway.rss_kib()?, gateway.descriptors()?);
            samples.0.push((second, rss, descriptors));
            if second % 60 == 0 || second == self.seconds {
                let calls = counts.next.load(Ordering::Relaxed);
                println!(
                    "{second:>4} s {calls:>9} calls {rss:>8} KiB {descriptors:>6} descriptors"
                );
            }
        }
        Ok(samples)
    }
}

/// One caller: a call after another.
async fn call(client: Client, url: String, counts: Arc<Counts>) {
    while !counts.over.load(Ordering::Relaxed) {
        let n = counts.next.fetch_add(1, Ordering::Relaxed);
        let request =
            request(&client, &url, n, &format!("key-{}", n % 5), &format!("m-{}", n % 11));
        if n % CANCELLED == 0 {
            // Anywhere between at once and after the longest attempt.
            let _ = timeout(Duration::from_millis(n * 37 % 1500), read(request)).await;
            counts.cancelled.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        match timeout(Duration::from_secs(60), read(request)).await {
            Ok(Answer::Whole) => drop(counts.whole.fetch_add(1, Ordering::Relaxed)),
            Ok(Answer::Refused) => drop(counts.refused.fetch_add(1, Ordering::Relaxed)),
            Ok(Answer::BrokenWithWord) => drop(counts.broken.fetch_add(1, Ordering::Relaxed)),
            Ok(Answer::Wrong(why)) => counts.wrong(why),
            Err(_) => counts.wrong("no end within a minute"),
        }
        // A refusal returns at once: without a pause the callers would measure refusals alone.
        sleep(Duration::from_millis(2)).await;
    }
}

/// The seconds after the last fault until all routes are closed again, with a call to each of them now and then.
async fn closed_after(gateway: &Process) -> Result<Option<f64>, Any> {
    let client = Client::builder().no_proxy().build()?;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(90) {
        for n in 0..5 * 11 * 6 {
            let (key, model) = (format!("key-{}", n % 5), format!("m-{}", n % 11));
            let _ = read(request(&client, &gateway.url, n, &key, &model)).await;
        }
        let health = client.get(format!("{}/healthz", gateway.url)).send().await?.text().await?;
        let health: Value = serde_json::from_str(&health)?;
        let routes = health["routes"].as_array().ok_or("no routes in /healthz")?;
        if routes.iter().all(|route| route["state"] == "closed") {
            return Ok(Some(start.elapsed().as_secs_f64()));
        }
        sleep(Duration::from_millis(200)).await;
    }
    Ok(None)
}

async fn report(
    counts: &Counts,
    samples: &Samples,
    closed: Option<f64>,
    before: usize,
    gateway: &Process,
) -> Result<(), Any> {
    let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let wrong = counts.wrong.lock().map_err(|_| "a caller panicked")?.clone();
    println!(
        "calls {}: whole {}, refused {}, broken with an error event {}, cancelled {}",
        of(&counts.next),
        of(&counts.whole),
        of(&counts.refused),
        of(&counts.broken),
        of(&counts.cancelled)
    );
    println!("without an answer, or with a wrong one: {wrong:?}");
    // Idle connections to the upstream stay for less than a minute.
    let after = settled(gateway, before).await?;
    println!("descriptors {before} before, {after} after");
    let (warm, end) = samples.warm_and_end();
    println!("memory {warm} KiB at {WARM} s, {end} KiB at the end (the medians of ten seconds)");
    match closed {
        Some(seconds) => println!("all routes closed {seconds:.1} s after the last fault"),
        None => return Err("some routes were not closed 90 s after the last fault".into()),
    }
    let bound = FLAT_KIB.max(warm / 20);
    match (wrong.is_empty(), end <= warm + bound, after <= before + 2) {
        (false, ..) => Err("some calls had no answer, or a wrong one".into()),
        (_, false, _) => Err(format!("memory grew by more than {bound} KiB").into()),
        (.., false) => Err("descriptors stayed open".into()),
        _ => Ok(()),
    }
}

/// The number of descriptors once it is that of the start, or after 80 s.
async fn settled(gateway: &Process, before: usize) -> Result<usize, Any> {
    for _ in 0..80 {
        if gateway.descriptors()? <= before {
            break;
        }
        sleep(Duration::from_secs(1)).await;
    }
    gateway.descriptors()
}

// === impl Counts ===

impl Counts {
    fn wrong(&self, why: &'static str) {
        if let Ok(mut wrong) = self.wrong.lock() {
            *wrong.entry(why).or_default() += 1;
        }
    }
}

// === impl Samples ===

impl Samples {
    /// The median memory of ten seconds at [`WARM`], or at a third of a shorter run, and of the last ten.
    fn warm_and_end(&self) -> (u64, u64) {
        let at = (WARM as usize).min(self.0.len() / 3);
        let median = |of: &[(u64, u64, usize)]| {
            let mut rss: Vec<_> = of.iter().map(|(_, rss, _)| *rss).collect();
            rss.sort_unstable();
            rss.get(rss.len() / 2).copied().unwrap_or_default()
        };
        let warm = self.0.get(at..(at + 10).min(self.0.len())).unwrap_or_default();
        (median(warm), median(&self.0[self.0.len().saturating_sub(10)..]))
    }
}
