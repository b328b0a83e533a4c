//! A child process: its address, its memory, its descriptors and its CPU time.

use std::{
    error::Error,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

pub(crate) type Any = Box<dyn Error + Send + Sync>;

/// A child process; killed when this value is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
}

// === impl Process ===

impl Process {
    /// Starts a program that prints a line with its URL as the last word.
    pub(crate) fn start(program: &Path, arguments: &[&str]) -> Result<Self, Any> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("it has an output")?;
        BufReader::new(out).read_line(&mut line)?;
        let url = line.split_whitespace().last().ok_or("it prints its address")?.to_owned();
        Ok(Self { child, url })
    }

    /// The gateway in front of an upstream, with more arguments.
    pub(crate) fn gateway(upstream: &str, arguments: &[&str]) -> Result<Self, Any> {
        let gateway = Path::new(env!("CARGO_BIN_EXE_evenkeel-gateway"));
        let all = ["--listen", "127.0.0.1:0", "--upstream", upstream];
        Self::start(gateway, &[&all, arguments].concat())
    }
}

#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "one of the benchmarks uses the times alone")]
impl Process {
    /// The resident memory in KiB.
    pub(crate) fn rss_kib(&self) -> Result<u64, Any> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        Ok(line.and_then(|it| it.split_whitespace().next()).ok_or("no VmRSS")?.parse()?)
    }

    /// The number of open descriptors.
    pub(crate) fn descriptors(&self) -> Result<usize, Any> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

/// User and system time of a process, in seconds.
#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "one of the benchmarks uses the times alone")]
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64, Any> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: Result<Vec<f64>, _> = fields.skip(11).take(2).map(str::parse).collect();
    // Linux reports them in hundredths of a second.
    Ok(ticks?.iter().sum::<f64>() / 100.0)
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
