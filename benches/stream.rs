//! The CPU time that a client needs to read a stream through evenkeel, compared with bare reqwest, over loopback.
//!
//! The provider runs in its own process, so that the CPU time of this process is that of the client alone. Both clients do the
//! same work alternately in one run: they read a stream of 2 000 events to its end. In the first part the events arrive as
//! fast as the sockets allow, one stream after the other. In the second part an event arrives every millisecond, as from a
//! model, on several streams at once.
//!
//! A second table has the time to parse the events alone, without sockets: for chunks that differ only in their words, which take
//! the fast path of OpenAI chat, and for chunks that differ in another field, which are parsed in full. The fast path is kept
//! while the first figure is a small part of the second.
//!
//! ```text
//! cargo bench --bench stream
//! ```

#[cfg(unix)]
mod measure {
    use std::{
        io::{BufRead, BufReader, Write},
        process::{Child, Command, Stdio},
        time::Duration,
    };

    use evenkeel::Client;
    use evenkeel_dialect::{Dialect, StreamMonitor, outcome::ErrorCodeTable};
    use evenkeel_testkit::{Provider, Reply, Server};
    use rustix::time::{ClockId, clock_gettime};

    use evenkeel::BoxError;

    const EVENTS: usize = 2000;
    const QUESTION: &str = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Tell me a story."}]}"#;

    /// The process of the provider. Drop kills it.
    struct ProviderProcess {
        child: Child,
        url: String,
    }

    /// One part of the benchmark: the pace of the events and the number of streams.
    struct StreamPace {
        name: &'static str,
        between_events: Duration,
        rounds: usize,
        concurrent_streams: usize,
        /// How often the concurrent streams are read in a round.
        repetitions: usize,
    }

    const PACES: [StreamPace; 2] = [
        StreamPace {
            name: "no pause",
            between_events: Duration::ZERO,
            rounds: 41,
            concurrent_streams: 1,
            repetitions: 8,
        },
        StreamPace {
            name: "1 per ms",
            between_events: Duration::from_millis(1),
            rounds: 9,
            concurrent_streams: 16,
            repetitions: 1,
        },
    ];

    #[derive(Clone)]
    enum BenchClient {
        Reqwest(reqwest::Client),
        Evenkeel(Client),
    }

    // === impl BenchClient ===

    impl BenchClient {
        /// Reads the stream to its end.
        async fn read(self, request: reqwest::Request) -> Result<(), BoxError> {
            let mut response = match self {
                Self::Reqwest(client) => client.execute(request).await?,
                Self::Evenkeel(client) => client.execute(request).await?,
            };
            let mut tail = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                tail.clear();
                tail.extend_from_slice(&chunk[chunk.len().saturating_sub(16)..]);
            }
            if tail.ends_with(b"[DONE]\n\n") {
                Ok(())
            } else {
                Err("the stream ended without [DONE]".into())
            }
        }
    }

    // === impl ProviderProcess ===

    impl ProviderProcess {
        fn start(pace: &StreamPace) -> Result<Self, BoxError> {
            let micros = pace.between_events.as_micros().to_string();
            let mut child = Command::new(std::env::current_exe()?)
                .args(["serve", &micros])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            let mut url = String::new();
            let stdout = child.stdout.take().ok_or("the provider has no standard output")?;
            BufReader::new(stdout).read_line(&mut url)?;
            Ok(Self { child, url: format!("{}/v1/chat/completions", url.trim()) })
        }
    }

    impl Drop for ProviderProcess {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// The main function of the provider process. It serves until its standard input ends, which is when its parent exits.
    async fn serve(micros: &str) -> Result<(), BoxError> {
        let text = vec!["word"; EVENTS].join(" ");
        let reply =
            Reply::answer().text(&text).between_events(Duration::from_micros(micros.parse()?));
        let server = Server::start(Provider::new("primary").always(reply)).await?;
        println!("{}", server.url());
        std::io::stdout().flush()?;
        let end_of_input = tokio::task::spawn_blocking(|| std::io::stdin().lines().count());
        end_of_input.await?;
        Ok(())
    }

    /// The CPU time of this process.
    fn cpu_time() -> Duration {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    /// Reads the streams of one round. Returns the CPU time per event in nanoseconds.
    async fn round(client: &BenchClient, url: &str, pace: &StreamPace) -> Result<f64, BoxError> {
        let StreamPace { concurrent_streams, repetitions, .. } = *pace;
        let http = reqwest::Client::new();
        let start = cpu_time();
        for _ in 0..repetitions {
            let mut streams = Vec::new();
            for _ in 0..concurrent_streams {
                let request = http.post(url).body(QUESTION).build()?;
                streams.push(tokio::spawn(client.clone().read(request)));
            }
            for stream in streams {
                stream.await??;
            }
        }
        let events = EVENTS * concurrent_streams * repetitions;
        Ok((cpu_time() - start).as_nanos() as f64 / events as f64)
    }

    fn median(mut values: Vec<f64>) -> f64 {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    async fn compare(pace: &StreamPace) -> Result<(), BoxError> {
        let provider = ProviderProcess::start(pace)?;
        let bare = BenchClient::Reqwest(reqwest::Client::new());
        let ours = BenchClient::Evenkeel(Client::builder().build()?);
        let mut times = [Vec::new(), Vec::new()];
        for n in 0..=pace.rounds {
            // The clients take turns in going first, so that a machine that slows down favours neither.
            for which in [n % 2, (n + 1) % 2] {
                let (client, times) = ([&bare, &ours][which], &mut times[which]);
                let per_event = round(client, &provider.url, pace).await?;
                // The first round opens connections and fills caches.
                if n > 0 {
                    times.push(per_event);
                }
            }
        }
        let [bare, ours] = times.map(median);
        let name = pace.name;
        println!("{name:>10} {bare:>12.0} {ours:>12.0} {:>8.3}", ours / bare);
        Ok(())
    }

    /// A stream of chunks; `fingerprints` of them differ in another field than their words, in turn.
    fn chunks(fingerprints: usize) -> String {
        let chunk = |n: usize| {
            let fingerprint = n % fingerprints;
            format!(
                r#"data: {{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp_{fingerprint}","choices":[{{"index":0,"delta":{{"content":"word {n}"}},"logprobs":null,"finish_reason":null}}]}}"#
            ) + "\n\n"
        };
        (0..EVENTS).map(chunk).collect()
    }

    /// The time to parse each event of a stream, in ns: the median of some rounds.
    fn read(stream: &str) -> f64 {
        let codes = ErrorCodeTable::default();
        let rounds = (0..101).map(|_| {
            let mut monitor = StreamMonitor::new(Dialect::OpenAiChat, &codes);
            let start = cpu_time();
            // In pieces of the size that sockets deliver.
            let content: u32 =
                stream.as_bytes().chunks(16 * 1024).map(|it| monitor.feed(it).content).sum();
            assert_eq!(content as usize, EVENTS);
            (cpu_time() - start).as_nanos() as f64 / EVENTS as f64
        });
        median(rounds.collect())
    }

    pub(crate) fn main() -> Result<(), BoxError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut args = std::env::args().skip(1);
        if args.next().as_deref() == Some("serve") {
            return runtime.block_on(serve(&args.next().unwrap_or_default()));
        }
        println!("CPU time of the client for each of {EVENTS} events, in ns: median of the rounds");
        println!("{:>10} {:>12} {:>12} {:>8}", "events", "reqwest", "evenkeel", "ratio");
        PACES.iter().try_for_each(|pace| runtime.block_on(compare(pace)))?;
        println!("reading each of {EVENTS} chunks, in ns: median of the rounds");
        println!("{:>10} {:>12.0}", "alike", read(&chunks(1)));
        println!("{:>10} {:>12.0}", "parsed", read(&chunks(2)));
        Ok(())
    }
}

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    measure::main()
}

#[cfg(not(unix))]
fn main() {
    println!("this benchmark measures CPU time, which is supported on Unix only");
}
