//! Streams that are open at the same time: what each of them costs in memory, read and unread.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use reqwest::Client;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};

use super::{
    answer::request,
    faults::Provide,
    process::{Any, Process},
};

/// Streams that are open at the same time.
#[derive(clap::Args, Debug)]
pub(crate) struct Streams {
    #[arg(long, default_value_t = 3000)]
    count: usize,
    /// The streams are not read.
    #[arg(long)]
    unread: bool,
    /// The most that a stream may cost, in KiB.
    #[arg(long, default_value_t = 33.0)]
    most: f64,
}

/// Longer limits than the run takes.
const CONFIG: &str = "[limits]\ndeadline = 120\nattempt = 120\nfirst_event = 100\nidle = 100\nstream_total = 110\nconnections = 5000\n";

// === impl Streams ===

impl Streams {
    pub(crate) async fn run(self) -> Result<(), Any> {
        let provider = Provide::start("stalls", 0)?;
        let file =
            std::env::temp_dir().join(format!("evenkeel-streams-{}.toml", std::process::id()));
        std::fs::write(&file, CONFIG)?;
        let path = file.to_str().ok_or("the temporary folder is not UTF-8")?;
        let gateway = Process::gateway(&provider.url, &["--config", path])?;
        let client = Client::builder().no_proxy().build()?;
        // The first ones start threads and fill caches.
        let warm = self.open(&client, &gateway.url, 50).await?;
        let before = gateway.rss_kib()?;
        let open = self.open(&client, &gateway.url, self.count).await?;
        sleep(Duration::from_secs(2)).await;
        let during = gateway.rss_kib()?;
        println!("{} streams open: {before} KiB before, {during} KiB with them", open.len());
        let each = during.saturating_sub(before) as f64 / open.len() as f64;
        println!("{each:.1} KiB a stream");
        drop((open, warm));
        sleep(Duration::from_secs(3)).await;
        println!("{} KiB after them, {} descriptors", gateway.rss_kib()?, gateway.descriptors()?);
        std::fs::remove_file(&file)?;
        if each <= self.most { Ok(()) } else { Err(format!("more than {} KiB", self.most).into()) }
    }

    async fn open(&self, client: &Client, url: &str, count: usize) -> Result<Vec<Stream>, Any> {
        let opened = stream::iter(0..count).map(|_| async {
            if self.unread { unread(url).await } else { begun(client, url).await }
        });
        let all: Vec<Result<Stream, Any>> = opened.buffer_unordered(64).collect().await;
        all.into_iter().collect()
    }
}

/// A stream that stays open while this value lives.
enum Stream {
    Begun(#[allow(dead_code, reason = "it is held")] reqwest::Response),
    Unread(#[allow(dead_code, reason = "it is held")] TcpStream),
}

/// A stream whose first chunk was read.
async fn begun(client: &Client, url: &str) -> Result<Stream, Any> {
    let mut response = request(client, url, 0, "key", "m").send().await?.error_for_status()?;
    response.chunk().await?.ok_or("a stream without content")?;
    Ok(Stream::Begun(response))
}

async fn unread(url: &str) -> Result<Stream, Any> {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await?;
    let body = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nauthorization: Bearer key";
    let length = body.len();
    stream
        .write_all(format!("{head}\r\ncontent-length: {length}\r\n\r\n{body}").as_bytes())
        .await?;
    Ok(Stream::Unread(stream))
}
