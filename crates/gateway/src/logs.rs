//! Logs on standard error, which no call waits for.
//!
//! A pipe that nobody reads is full after 64 KiB, and a write to it then blocks its thread for ever. So lines go to a thread of their
//! own, at most [`MAX_WAITING`] bytes of them. Lines beyond that are dropped and counted, and their number is logged once there is
//! room.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread,
    time::Duration,
};

use tracing_subscriber::{
    filter::Targets,
    fmt::{
        MakeWriter,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// The queue of lines. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Logs {
    queue: Sender<Item>,
    count: Arc<Count>,
}

/// A line, or a request.
#[derive(Debug)]
enum Item {
    Line(Vec<u8>),
    /// Answered once all lines before it are written.
    Flush(SyncSender<()>),
}

#[derive(Debug, Default)]
struct Count {
    /// The bytes of lines that are not written.
    waiting: AtomicUsize,
    /// Lines that did not fit, and are not reported.
    lost: AtomicU64,
}

/// One line of the subscriber, which is queued when it is dropped.
#[derive(Debug)]
pub(crate) struct LogLine<'a> {
    logs: &'a Logs,
    bytes: Vec<u8>,
}

/// The most bytes of lines that wait.
const MAX_WAITING: usize = 1024 * 1024;
/// The time for the last lines at the end of the process.
const FLUSH: Duration = Duration::from_secs(1);

/// Starts the logs on standard error; `filter` is `RUST_LOG`, such as `warn` or `evenkeel=debug`.
pub(crate) fn start(filter: Option<&str>, level: tracing::Level) -> Logs {
    let logs = Logs::over(io::stderr());
    let default = || Targets::new().with_default(level);
    let parsed = filter.filter(|text| !text.trim().is_empty()).map(str::parse::<Targets>);
    let lines = tracing_subscriber::fmt::layer().with_writer(logs.clone()).with_target(false);
    let wrong = matches!(parsed, Some(Err(_)));
    let filter = parsed.and_then(Result::ok).unwrap_or_else(default);
    tracing_subscriber::registry().with(lines).with(filter).init();
    if wrong {
        tracing::warn!(
            "RUST_LOG is not understood; allowed is a level, or target=level with commas"
        );
    }
    // The hook of the standard library writes to standard error, and with the text of the panic, which may have content.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a task panicked");
    }));
    logs
}

// === impl Logs ===

impl Logs {
    /// Writes to that output, in a thread of its own.
    fn over(out: impl Write + Send + 'static) -> Self {
        let (queue, items) = channel();
        let logs = Self { queue, count: Arc::default() };
        let count = logs.count.clone();
        let name = thread::Builder::new().name("logs".into());
        // Without the thread there are no logs, and every line counts as lost.
        let _ = name.spawn(move || write_all(out, &items, &count));
        logs
    }

    fn push(&self, line: Vec<u8>) {
        let length = line.len();
        let before = self.count.waiting.fetch_add(length, Relaxed);
        if before + length > MAX_WAITING || self.queue.send(Item::Line(line)).is_err() {
            self.count.waiting.fetch_sub(length, Relaxed);
            self.count.lost.fetch_add(1, Relaxed);
        }
    }

    /// Waits until all lines are written, for at most [`FLUSH`].
    pub(crate) fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.queue.send(Item::Flush(done)).is_ok() {
            let _ = written.recv_timeout(FLUSH);
        }
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = LogLine<'a>;

    fn make_writer(&'a self) -> LogLine<'a> {
        LogLine { logs: self, bytes: Vec::new() }
    }
}

// === impl LogLine ===

impl Write for LogLine<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogLine<'_> {
    fn drop(&mut self) {
        if !self.bytes.is_empty() {
            self.logs.push(std::mem::take(&mut self.bytes));
        }
    }
}

/// Writes all items. An output that fails loses the line.
fn write_all(mut out: impl Write, items: &Receiver<Item>, count: &Count) {
    while let Ok(item) = items.recv() {
        match item {
            Item::Line(line) => {
                let _ = out.write_all(&line).and_then(|()| out.flush());
                count.waiting.fetch_sub(line.len(), Relaxed);
                let lost = count.lost.swap(0, Relaxed);
                if lost > 0 {
                    let _ = out.write_all(lost_line(lost).as_bytes()).and_then(|()| out.flush());
                }
            }
            Item::Flush(done) => drop(done.send(())),
        }
    }
}

fn lost_line(lost: u64) -> String {
    let mut line = String::new();
    // A text takes everything.
    let _ = SystemTime.format_time(&mut Writer::new(&mut line));
    line + &format!("  WARN log lines were dropped, as standard error was not read lines={lost}\n")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// An output that takes nothing before it is opened.
    #[derive(Clone)]
    struct Pipe {
        gate: Arc<Mutex<()>>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _open = self.gate.lock();
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_for_a_full_pipe_wait_up_to_a_bound_and_the_others_are_counted() {
        let pipe = Pipe { gate: Arc::default(), written: Arc::default() };
        let logs = Logs::over(pipe.clone());
        let full = pipe.gate.lock().unwrap();
        let line = [vec![b'x'; 1023], vec![b'\n']].concat();
        for _ in 0..1500 {
            logs.make_writer().write_all(&line).unwrap();
        }
        logs.flush();
        assert!(pipe.written.lock().unwrap().is_empty(), "the pipe is full, and nobody waits");
        drop(full);
        while logs.count.waiting.load(Relaxed) > 0 {
            thread::yield_now();
        }
        logs.flush();
        let written = pipe.written.lock().unwrap().clone();
        let written = String::from_utf8(written).unwrap();
        assert_eq!(written.lines().filter(|line| line.starts_with('x')).count(), 1024);
        assert_eq!(written.matches("lines=476\n").count(), 1, "{:?}", written.lines().nth(1));
    }
}
