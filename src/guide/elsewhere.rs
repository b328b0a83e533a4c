//! Clients that take no transport: genai, crates on an older reqwest, other languages.
//!
//! genai takes a `reqwest::Client` and nothing around it; ollama-rs and others use reqwest 0.12. Official SDKs of other languages
//! cannot use a Rust crate at all. All of them take a base URL: run evenkeel as a separate process (the crate
//! `evenkeel-gateway`), and set its URL.
//!
//! ```sh
//! cargo run --release -p evenkeel-gateway -- --listen 127.0.0.1:8080 --upstream https://api.openai.com
//! ```
//!
//! Path, query, headers and bodies are passed through unchanged. Fallbacks come with a request (`evenkeel-fallbacks:
//! gpt-4o-mini`: other models, same upstream and key) or from a file (`--config`: other providers, canned replies, limits).
//! [`call_options`](crate::call_options#the-settings) lists the headers of a request, `--help` the flags,
//! `crates/gateway/gateway.toml` every key of a file.
//!
//! genai 0.7:
//!
//! ```text
//! use genai::{Client, adapter::AdapterKind, resolver::{AuthData, Endpoint}};
//!
//! let gateway = Endpoint::from_static("http://127.0.0.1:8080/v1/");
//! let client = Client::builder()
//!     .append_provider_config(AdapterKind::OpenAI, (gateway, AuthData::from_env("OPENAI_API_KEY")))
//!     .build()?;
//! ```
//!
//! The official Python SDKs:
//!
//! ```text
//! client = openai.OpenAI(base_url="http://127.0.0.1:8080/v1", max_retries=0)
//! client = anthropic.Anthropic(base_url="http://127.0.0.1:8080", max_retries=0)
//! ```
//!
//! # Pitfalls
//!
//! * **Double retries.** The official SDKs retry twice by themselves: set `max_retries=0`. genai does not retry.
//! * **Timeouts.** Those of the SDKs are 600 s; if you change them, keep them above evenkeel's deadline, so that its answer still
//!   arrives.
//! * **Long answers.** A call has the limits of the interactive profile: 20 s for an attempt that is not streamed. For models
//!   that reason longer, set `limits.attempt` and `limits.deadline`, or use `--profile pipeline`.
//! * **Errors within a stream.** A gateway cannot change a head that it has sent: a stream that fails ends with an error event,
//!   in the dialect of its caller; the official SDKs raise it. To get no partial answers at all, send `evenkeel-commit:
//!   complete`. A client that stops at the last event it could parse takes that for the end: let it check the finish reason.
//! * **Compression.** Requests in a known dialect are sent with `accept-encoding: identity`: the gateway could neither classify a
//!   compressed answer nor detect that it is cut.
//! * **Keys.** They pass through the process: let it listen on the loopback interface only.
