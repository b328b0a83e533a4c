//! An outage, step by step; and which layer handles which failure.
//!
//! # The outage
//!
//! A bot with the interactive profile, another provider as its fallback and a canned reply below it, on the day its provider
//! fails:
//!
//! 1. **The first errors.** Each failed call is [retried](crate::retry) at most twice, after waits with jitter, then [moves
//!    down](crate::fallback) to the other provider. Its caller has an answer some hundreds of milliseconds later. If the provider
//!    is silent instead, the [timeouts](crate::timeout) end the attempt, and it is not retried.
//! 2. **Five failures in a row.** The [breaker](crate::breaker) of the route opens. Calls go to the other provider at once and
//!    put no load on the first. The retry budget is no longer spent.
//! 3. **The outage goes on.** After 5 s, later after 30 s, one call at a time is sent to the provider as a probe. Its caller is
//!    not delayed: if the probe is slow, the fallbacks below are tried concurrently, and the first answer wins.
//! 4. **The other provider is overloaded.** All its new customers come at the same time. Its 429 closes its route for the wait
//!    that it names, and the [limits](crate::limit) let the calls through one after the other. Calls that cannot wait move
//!    further down: to a [stored answer](crate::cache), if there is one, or to the canned reply. There is always one before the
//!    deadline.
//! 5. **The provider recovers.** Two probes in a row are answered. A tenth of the calls goes to the provider, then more and more,
//!    and all of them 20 s later, while its caches fill. If the provider fails again, the breaker opens at once.
//!
//! A pipeline, without a waiting person, does not need a lesser answer: a call that no target answers [waits for
//! recovery](crate::fallback::Fallback::wait_for_recovery), and is then sent again, one call at a time.
//!
//! # Which layer handles which failure
//!
//! | the provider | what handles it | what the caller sees |
//! |---|---|---|
//! | answers 429 with a wait, then recovers | [`retry`](crate::retry): waits that time; [`limit`](crate::limit): so do all other calls | a whole answer, after the wait |
//! | answers 429 without a wait, always | `retry`: two more, with jitter; then [`fallback`](crate::fallback) | the fallback's answer |
//! | answers 500 or resets the connection, once | `retry`: the same again | a whole answer |
//! | had a kept connection that is dead now | [`Reconnect`](crate::adapter::Reconnect): again at once on a new one, within the same attempt | a whole answer; no failure is counted |
//! | got no request, since this machine lacks a descriptor, a port, a network | `retry`, then `fallback`; [never counted](crate::outcome::LocalTrouble) against the provider | a whole answer, or an error that names what was lacking |
//! | answers 503, always | `retry`, then `fallback`; soon [`breaker`](crate::breaker) | the fallback's answer, soon at once |
//! | accepts and sends nothing | [`timeout`](crate::timeout), then `fallback`; never retried | the fallback's answer before the deadline |
//! | sends its first content after 20 s | `timeout` on the first content; [`hedge`](crate::hedge), if it is on | the fallback's answer |
//! | is slow on every call | `breaker`: slow calls open it | the fallback's answer, at once |
//! | breaks a stream off before its first content | [`classify`](crate::classify) holds it back until then; `retry`, `fallback` | a whole answer |
//! | breaks a stream off after it | [`stream`](crate::stream) reports it; [`MidStreamFailure::Continue`](crate::stream::MidStreamFailure), if it is on | an error in the body, or the rest from another |
//! | stops in the middle of a stream | `timeout` on silence, then the same | the same, 15 s later |
//! | sends an event that is not JSON | [`dialect`](crate::dialect): malformed, a failure | an error, never half an answer as a whole one |
//! | ends normally without its end marker (`[DONE]`) | `dialect`: the finish reason is enough | a whole answer, at once |
//! | finds the request too large | `fallback`: one with a larger context, or one that is [edited to fit](crate::fallback::Edit::fit_context) | its answer, after one attempt here |
//! | blocks the content | nothing: there is no way around it | the provider's reason, after one attempt |
//! | fails whenever a tool is called | `fallback`: the [same without that tool](crate::fallback::Fallback::without_tool) | an answer without it |
//! | rejects the key, or its quota is exhausted | [`balance`](crate::balance): another key at once; else `fallback`; `breaker`: for seconds, or minutes | the other's answer |
//! | is down for a minute, then recovers | `breaker`: probes and a ramp | the fallback's answers, then the first's again within 30 s |
//! | continues the prefill of others but rejects it here | `stream`: the next fallback; the first failure is reported | the rest from the next, or the first failure |
//! | is down with every fallback | a stored answer, a canned reply, a [wait](crate::fallback::Fallback::wait_for_recovery) | a usable answer in time, or a clear error |
//!
//! Attempts that failed are in the [`AttemptLog`](crate::context::AttemptLog), never in the answer: its model and
//! [`UsageHandle`](crate::dialect::UsageHandle) are those of the target that answered.
//!
//! # Examples
//!
//! `cargo run --release --example outage` replays a real day through three clients; `cargo run --example bot` lets you stop the
//! provider yourself, and `cargo run --example axum_bot` does so in a browser; [`evenkeel-testkit`](https://docs.rs/evenkeel-testkit) does it to your own code.
