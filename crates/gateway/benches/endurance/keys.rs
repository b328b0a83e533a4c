//! Callers with keys and models of their own: memory stays bounded, and calls do not get slower.

use futures_util::{StreamExt, stream};
use reqwest::Client;
use tokio::time::Instant;

use super::{
    answer::{Answer, read, request},
    faults::Provide,
    process::{Any, Process},
};

/// Callers with keys and models of their own.
#[derive(clap::Args, Debug)]
pub(crate) struct Keys {
    #[arg(long, default_value_t = 60_000)]
    keys: u64,
    #[arg(long, default_value_t = 30_000)]
    models: u64,
    /// The most memory, in MB.
    #[arg(long, default_value_t = 40)]
    most: u64,
}

/// The calls of one line of the table.
const PART: u64 = 5_000;

// === impl Keys ===

impl Keys {
    pub(crate) async fn run(self) -> Result<(), Any> {
        let provider = Provide::start("answers", 0)?;
        let gateway = Process::gateway(&provider.url, &[])?;
        let client = Client::builder().no_proxy().build()?;
        let same = self.part(&client, &gateway, |_| ("key".into(), "m".into())).await?;
        println!("{:>12} {same:>7.0} calls/s {:>8} KiB", "one key", gateway.rss_kib()?);
        let mut last = 0.0;
        for part in 0..self.keys.div_ceil(PART) {
            last = self
                .part(&client, &gateway, |n| (format!("key-{}", part * PART + n), "m".into()))
                .await?;
            println!(
                "{:>7} keys {last:>7.0} calls/s {:>8} KiB",
                (part + 1) * PART,
                gateway.rss_kib()?
            );
        }
        for part in 0..self.models.div_ceil(PART) {
            last = self
                .part(&client, &gateway, |n| ("key".into(), format!("m-{}", part * PART + n)))
                .await?;
            println!(
                "{:>5} models {last:>7.0} calls/s {:>8} KiB",
                (part + 1) * PART,
                gateway.rss_kib()?
            );
        }
        println!("calls a second at the end: {:.2} of those with one key", last / same);
        let rss = gateway.rss_kib()? * 1024 / 1_000_000;
        if rss <= self.most {
            Ok(())
        } else {
            Err(format!("{rss} MB is more than {} MB", self.most).into())
        }
    }

    /// One part of the calls; returns calls a second.
    async fn part(
        &self,
        client: &Client,
        gateway: &Process,
        of: impl Fn(u64) -> (String, String),
    ) -> Result<f64, Any> {
        let start = Instant::now();
        let calls = (0..PART).map(|n| {
            let (key, model) = of(n);
            // Chats in one piece.
            read(request(client, &gateway.url, 1, &key, &model))
        });
        let answers: Vec<Answer> = stream::iter(calls).buffer_unordered(32).collect().await;
        match answers.iter().find(|answer| **answer != Answer::Whole) {
            Some(answer) => Err(format!("{answer:?} in health").into()),
            None => Ok(PART as f64 / start.elapsed().as_secs_f64()),
        }
    }
}
