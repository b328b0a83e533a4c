//! Calls a second and CPU time a call, alternately through the gateway, through others and direct.

use futures_util::{StreamExt, stream};
use reqwest::Client;
use tokio::time::Instant;

use super::{
    answer::{Answer, read, request},
    faults::Provide,
    process::{Any, Process},
};

/// Calls a second and CPU time a call.
#[derive(clap::Args, Debug)]
pub(crate) struct Load {
    /// Another gateway that runs, as NAME=URL=PID; PID may be several with commas. Can be repeated.
    #[arg(long)]
    also: Vec<String>,
    /// The URL of a provider that runs, which the other gateways use as well. Default: one is started
    #[arg(long)]
    provider: Option<String>,
    /// Calls of each way in each round.
    #[arg(long, default_value_t = 500)]
    calls: usize,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How many calls are under way at the same time.
    #[arg(long, default_value_t = 16)]
    tasks: usize,
    /// Starts the provider alone, prints its URL, and serves until the standard input closes.
    #[arg(long)]
    serve: bool,
}

/// One way to the provider.
struct Way {
    name: String,
    url: String,
    pids: Vec<u32>,
    /// Calls a second, and CPU milliseconds a call, of each round.
    rounds: Vec<(f64, f64)>,
}

// === impl Load ===

impl Load {
    pub(crate) async fn run(self) -> Result<(), Any> {
        let own = match self.provider {
            Some(_) => None,
            None => Some(Provide::start("answers", 0)?),
        };
        let provider = self.provider.clone().or(own.as_ref().map(|it| it.url.clone()));
        let provider = provider.ok_or("no provider")?;
        if self.serve {
            println!("{provider}");
            tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await?;
            return Ok(());
        }
        let gateway = Process::gateway(&provider, &[])?;
        let mut ways = vec![
            Way::new("direct", &provider, vec![]),
            Way::new("evenkeel", &gateway.url, vec![gateway.id()]),
        ];
        for also in &self.also {
            ways.push(Way::parse(also)?);
        }
        for round in 0..=self.rounds {
            let count = ways.len();
            for n in 0..count {
                let way = &mut ways[(n + round) % count];
                let seen = self.measure(way).await?;
                // The first round opens connections and fills caches.
                if round > 0 {
                    way.rounds.push(seen);
                }
            }
        }
        print(&ways);
        Ok(())
    }

    async fn measure(&self, way: &Way) -> Result<(f64, f64), Any> {
        let client = Client::builder().no_proxy().build()?;
        let (start, cpu) = (Instant::now(), way.cpu()?);
        let calls = (0..self.calls).map(|_| read(request(&client, &way.url, 1, "key", "m")));
        let answers: Vec<Answer> = stream::iter(calls).buffer_unordered(self.tasks).collect().await;
        let (took, cpu) = (start.elapsed().as_secs_f64(), way.cpu()? - cpu);
        if let Some(answer) = answers.iter().find(|answer| **answer != Answer::Whole) {
            return Err(format!("{}: {answer:?} in health", way.name).into());
        }
        let calls = self.calls as f64;
        Ok((calls / took, cpu * 1000.0 / calls))
    }
}

// === impl Way ===

impl Way {
    fn new(name: &str, url: &str, pids: Vec<u32>) -> Self {
        Self { name: name.into(), url: url.into(), pids, rounds: vec![] }
    }

    fn parse(text: &str) -> Result<Self, Any> {
        let mut parts = text.splitn(3, '=');
        let (Some(name), Some(url), Some(pids)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(format!("--also is {text:?}; allowed is NAME=URL=PID").into());
        };
        let pids: Result<_, _> = pids.split(',').map(str::parse).collect();
        Ok(Self::new(name, url, pids?))
    }

    fn cpu(&self) -> Result<f64, Any> {
        self.pids.iter().map(|pid| super::process::cpu_seconds(*pid)).sum()
    }
}

fn print(ways: &[Way]) {
    let median = |way: &Way, of: fn(&(f64, f64)) -> f64| {
        let mut all: Vec<f64> = way.rounds.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    println!("medians of {} rounds", ways[0].rounds.len());
    println!("{:>12} {:>10} {:>14}", "", "calls/s", "CPU ms a call");
    for way in ways {
        let (rate, cpu) = (median(way, |it| it.0), median(way, |it| it.1));
        println!("{:>12} {rate:>10.0} {cpu:>14.3}", way.name);
    }
}
