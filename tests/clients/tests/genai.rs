//! genai accepts no custom transport: its base URL is the gateway, in its own process.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use evenkeel_clients::stage::KEY;
use evenkeel_testkit::{Fault, Provider, Reply, Server, WORDS};
use futures_util::StreamExt;
use genai::{
    Client, Headers,
    adapter::AdapterKind,
    chat::{ChatMessage, ChatOptions, ChatRequest, ChatStreamEvent},
    resolver::{AuthData, Endpoint},
};

/// The gateway's process; killed when the test ends.
struct Gateway {
    child: Child,
    url: String,
}

impl Gateway {
    fn before(server: &Server) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gateway"))
            .args(["--listen", "127.0.0.1:0", "--upstream", &server.url()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").expect(&line).to_owned();
        Self { child, url }
    }

    fn client(&self) -> Client {
        let endpoint = Endpoint::from_owned(format!("{}/v1/", self.url));
        let config = (endpoint, AuthData::from_single(KEY));
        Client::builder().append_provider_config(AdapterKind::OpenAI, config).build().unwrap()
    }

    /// The words of an answer, streamed or not, to a request with these headers.
    async fn ask(&self, stream: bool, headers: &[(&str, &str)]) -> Result<String, genai::Error> {
        let request = ChatRequest::new(vec![ChatMessage::user("Where is my parcel?")]);
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let options = ChatOptions::default().with_extra_headers(Headers::from(headers));
        let client = self.client();
        if !stream {
            let answer = client.exec_chat("gpt-4o-mini", request, Some(&options)).await?;
            return Ok(answer.first_text().unwrap_or_default().to_owned());
        }
        let answer = client.exec_chat_stream("gpt-4o-mini", request, Some(&options)).await?;
        let (mut events, mut words) = (answer.stream, String::new());
        while let Some(event) = events.next().await {
            if let ChatStreamEvent::Chunk(chunk) = event? {
                words.push_str(&chunk.content);
            }
        }
        Ok(words)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn serve(provider: Provider) -> (Server, Provider) {
    let provider = provider.requires(KEY);
    (Server::start(provider.clone()).await.unwrap(), provider)
}

#[tokio::test]
async fn genai_sees_nothing_unusual_in_health() {
    let (server, provider) = serve(Provider::new("primary")).await;
    let gateway = Gateway::before(&server);
    for stream in [false, true] {
        assert_eq!(gateway.ask(stream, &[]).await.unwrap(), WORDS);
    }
    assert_eq!((provider.count(), provider.cancelled()), (2, 0));
}

#[tokio::test]
async fn genai_has_a_whole_answer_where_the_provider_fails_once() {
    for stream in [false, true] {
        for reply in [
            Reply::status(503),
            Reply::reset(),
            Reply::rate_limited(Some(Duration::from_millis(200))),
        ] {
            let (server, provider) = serve(Provider::new("primary").replies([reply])).await;
            assert_eq!(Gateway::before(&server).ask(stream, &[]).await.unwrap(), WORDS);
            assert_eq!(provider.count(), 2);
        }
    }
}

#[tokio::test]
async fn genai_has_a_whole_answer_of_a_stream_that_was_cut_or_an_error() {
    let cut = || Reply::answer().with(Fault::Cut { words: 40 });
    let (server, _) = serve(Provider::new("primary").replies([cut()])).await;
    let words = Gateway::before(&server).ask(true, &[("evenkeel-commit", "complete")]).await;
    assert_eq!(words.unwrap(), WORDS);

    let (server, _) = serve(Provider::new("primary").always(cut())).await;
    Gateway::before(&server)
        .ask(true, &[])
        .await
        .expect_err("no half answer passes for a whole one");
}

#[tokio::test]
async fn genai_has_its_own_error_where_all_fail() {
    let (server, provider) = serve(Provider::new("primary").always(Reply::status(503))).await;
    let gateway = Gateway::before(&server);
    for stream in [false, true] {
        gateway.ask(stream, &[("evenkeel-fallbacks", "spare")]).await.unwrap_err();
    }
    let models: Vec<_> = provider.attempts().into_iter().filter_map(|it| it.model).collect();
    assert!(models.iter().any(|model| &**model == "spare"), "{models:?}");
}

/// A signal ends it with status 0, after the requests in progress.
#[cfg(unix)]
#[tokio::test]
async fn the_process_exits_cleanly_on_a_signal() {
    let slow = Reply::answer().between_events(Duration::from_millis(10));
    let (server, provider) = serve(Provider::new("primary").always(slow)).await;
    let mut gateway = Gateway::before(&server);
    let told = async {
        while provider.in_flight() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let pid = gateway.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().unwrap()
    };
    let (words, killed) = tokio::join!(gateway.ask(true, &[]), told);
    assert!(killed.success());
    assert_eq!(words.unwrap(), WORDS);
    assert_eq!(gateway.child.wait().unwrap().code(), Some(0));
}
