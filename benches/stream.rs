//! What reading a stream through evenkeel costs: CPU of the client against bare reqwest, over loopback.
//!
//! The provider runs in a process of its own, so that the CPU of this one is the client's alone. Both clients do the same
//! work alternately in one run: a stream of 2 000 events, read to its end. Once the events come as fast as the
//! sockets take them, one stream after the other; once every millisecond one, as from a model, on several streams at once.
//!
//! A second table has the reading of the events alone, without sockets: of chunks that are alike but for their words, which take the fast
//! path of OpenAI chat, and of chunks that differ in another field, which are parsed. The fast path stays as long as the first figure is
//! a small part of the second.
//!
//! ```text
//! cargo bench --bench stream
//! ```

#[cfg(unix)]
mod measure {
    use std::{
        error::Error,
        io::{BufRead, BufReader, Write},
        process::{Child, Command, Stdio},
        time::Duration,
    };

    use evenkeel::{
        Client,
        testkit::{Provider, Reply, Server},
    };
    use evenkeel_dialect::{Dialect, StreamMonitor, outcome::ErrorCodeTable};
    use rustix::time::{ClockId, clock_gettime};

    type Any = Box<dyn Error + Send + Sync>;

    const EVENTS: usize = 2000;
    const QUESTION: &str = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Tell me a story."}]}"#;

    /// The provider's process; ended with this one.
    struct Serving {
        child: Child,
        url: String,
    }

    /// How the streams of a round come.
    struct Pace {
        name: &'static str,
        between: Duration,
        rounds: usize,
        /// So many streams at once, so many times.
        streams: (usize, usize),
    }

    const PACES: [Pace; 2] = [
        Pace { name: "at once", between: Duration::ZERO, rounds: 41, streams: (1, 8) },
        Pace { name: "one a ms", between: Duration::from_millis(1), rounds: 9, streams: (16, 1) },
    ];

    #[derive(Clone)]
    enum Through {
        Reqwest(reqwest::Client),
        Evenkeel(Client),
    }

    // === impl Through ===

    impl Through {
        async fn read(self, request: reqwest::Request) -> Result<(), Any> {
            let mut response = match self {
                Self::Reqwest(client) => client.execute(request).await?,
                Self::Evenkeel(client) => client.execute(request).await?,
            };
            let mut tail = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                tail.clear();
                tail.extend_from_slice(&chunk[chunk.len().saturating_sub(16)..]);
            }
            if tail.ends_with(b"[DONE]\n\n") { Ok(()) } else { Err("cut".into()) }
        }
    }

    impl Serving {
        fn start(pace: &Pace) -> Result<Self, Any> {
            let micros = pace.between.as_micros().to_string();
            let mut child = Command::new(std::env::current_exe()?)
                .args(["serve", &micros])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            let mut url = String::new();
            let out = child.stdout.take().ok_or("it has an output")?;
            BufReader::new(out).read_line(&mut url)?;
            Ok(Self { child, url: format!("{}/v1/chat/completions", url.trim()) })
        }
    }

    impl Drop for Serving {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// The provider's process: serves until its input ends, which it does with its parent.
    async fn serve(micros: &str) -> Result<(), Any> {
        let text = vec!["word"; EVENTS].join(" ");
        let reply =
            Reply::answer().text(&text).between_events(Duration::from_micros(micros.parse()?));
        let server = Server::start(Provider::new("primary").always(reply)).await?;
        println!("{}", server.url());
        std::io::stdout().flush()?;
        let parent = tokio::task::spawn_blocking(|| std::io::stdin().lines().count());
        parent.await?;
        Ok(())
    }

    fn cpu() -> Duration {
        let spent = clock_gettime(ClockId::ProcessCPUTime);
        Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
    }

    /// One round: CPU for each event.
    async fn round(through: &Through, url: &str, pace: &Pace) -> Result<f64, Any> {
        let (at_once, times) = pace.streams;
        let http = reqwest::Client::new();
        let start = cpu();
        for _ in 0..times {
            let mut streams = Vec::new();
            for _ in 0..at_once {
                let request = http.post(url).body(QUESTION).build()?;
                streams.push(tokio::spawn(through.clone().read(request)));
            }
            for stream in streams {
                stream.await??;
            }
        }
        Ok((cpu() - start).as_nanos() as f64 / (EVENTS * at_once * times) as f64)
    }

    fn median(mut values: Vec<f64>) -> f64 {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    async fn compare(pace: &Pace) -> Result<(), Any> {
        let serving = Serving::start(pace)?;
        let bare = Through::Reqwest(reqwest::Client::new());
        let ours = Through::Evenkeel(Client::builder().build()?);
        let mut spent = [Vec::new(), Vec::new()];
        for n in 0..=pace.rounds {
            // Each goes first every other time, so that a machine that slows down favours none.
            for which in [n % 2, (n + 1) % 2] {
                let (through, spent) = ([&bare, &ours][which], &mut spent[which]);
                let each = round(through, &serving.url, pace).await?;
                // The first round opens connections and fills caches.
                if n > 0 {
                    spent.push(each);
                }
            }
        }
        let [bare, ours] = spent.map(median);
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

    /// What reading each event of a stream costs, in ns: the median of some rounds.
    fn read(stream: &str) -> f64 {
        let codes = ErrorCodeTable::default();
        let rounds = (0..101).map(|_| {
            let mut monitor = StreamMonitor::new(Dialect::OpenAiChat, &codes);
            let start = cpu();
            // In pieces as sockets give them.
            let content: u32 =
                stream.as_bytes().chunks(16 * 1024).map(|it| monitor.feed(it).content).sum();
            assert_eq!(content as usize, EVENTS);
            (cpu() - start).as_nanos() as f64 / EVENTS as f64
        });
        median(rounds.collect())
    }

    pub(crate) fn main() -> Result<(), Any> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut args = std::env::args().skip(1);
        if args.next().as_deref() == Some("serve") {
            return runtime.block_on(serve(&args.next().unwrap_or_default()));
        }
        println!("client CPU for each of {EVENTS} events, in ns: median of the rounds");
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
    println!("the CPU of a process is measured on Unix only");
}
