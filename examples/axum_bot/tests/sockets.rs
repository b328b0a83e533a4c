//! Over sockets: a browser that goes away, and a stop of the server.

use std::{net::SocketAddr, time::Duration};

use evenkeel_testkit::Provider;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::question;
use crate::{
    app::{App, BoxError},
    assistant,
    embedded::{EmbeddedProviders, Mode},
    providers::Providers,
    serve,
};

/// The bot on a loopback socket.
struct ServedBot {
    address: SocketAddr,
    app: App,
    primary: Provider,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), BoxError>>,
}

/// Far longer than anything in these tests takes.
const PATIENCE: Duration = Duration::from_secs(30);

impl ServedBot {
    async fn start() -> Self {
        let providers = Providers::with(EmbeddedProviders::on_sockets().await.unwrap());
        let client = assistant::client(&providers).unwrap();
        let app = App::new(client, providers);
        let [primary, _] = app.providers().embedded.as_ref().unwrap().providers();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let until = async { stopped.await.unwrap_or_default() };
        let server = tokio::spawn(serve(listener, app.clone(), until));
        Self { address, app, primary, stop, server }
    }

    fn set_primary(&self, mode: Mode) {
        let embedded = self.app.providers().embedded.as_ref().unwrap();
        let [primary, _] = embedded.endpoints();
        assert!(embedded.set_mode(primary.url.trim_start_matches("http://"), mode));
    }

    /// Sends a question on a connection of its own.
    async fn ask(&self) -> TcpStream {
        let body = question("Where is my parcel?");
        let head = format!(
            "POST /api/ask HTTP/1.1\r\nhost: bot\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all((head + &body).as_bytes()).await.unwrap();
        stream
    }
}

/// Reads until `text` has arrived, and returns all that was read.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut read = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&read).contains(text) {
            assert!(
                stream.read_buf(&mut read).await.unwrap() > 0,
                "the connection ended before {text}"
            );
        }
    };
    timeout(PATIENCE, reading).await.unwrap();
    String::from_utf8(read).unwrap()
}

/// Waits until a condition holds.
async fn eventually(condition: impl Fn() -> bool) {
    let polling = async {
        while !condition() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, polling).await.unwrap();
}

#[tokio::test]
async fn a_browser_that_closes_its_page_ends_the_attempt_at_the_provider() {
    let bot = ServedBot::start().await;
    let mut page = bot.ask().await;
    read_until(&mut page, "\"type\":\"words\"").await;
    drop(page);
    eventually(|| bot.primary.cancelled() == 1 && bot.primary.in_flight() == 0).await;

    bot.set_primary(Mode::Silent);
    let page = bot.ask().await;
    eventually(|| bot.primary.in_flight() == 1).await;
    drop(page);
    eventually(|| bot.primary.cancelled() == 2 && bot.primary.in_flight() == 0).await;
}

#[tokio::test]
async fn a_stop_lets_the_answer_in_progress_end() {
    let bot = ServedBot::start().await;
    let mut page = bot.ask().await;
    read_until(&mut page, "\"type\":\"words\"").await;
    bot.stop.send(()).unwrap();
    assert!(read_until(&mut page, "\"type\":\"end\"").await.contains("primary success"));
    drop(page);
    timeout(PATIENCE, bot.server).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(bot.address).await.is_err());
}
