//! An outage, step by step; and which failure is met by what.
//!
//! # The day
//!
//! A bot with the interactive profile, another provider as its fallback and a canned reply below it, on the day its
//! provider goes under:
//!
//! 1. **The first errors.** Each call that fails is [asked again](crate::retry) twice at most, after waits with jitter, then
//!    [goes down](crate::fallback) to the other provider. Its caller has an answer some hundreds of milliseconds later. Where the
//!    provider is silent instead, the [limits on time](crate::timeout) end the attempt, and nobody asks it again.
//! 2. **Five failures in a row.** The [breaker](crate::breaker) of the route opens. Calls go to the other provider at once and
//!    cost the first nothing. No budget for retries is spent any more.
//! 3. **The outage goes on.** After 5 s, later after 30 s, one call at a time asks the provider as a probe. Its caller does not
//!    pay for that: where the probe is slow, the fallbacks below are asked beside it, and the first answer counts.
//! 4. **The other provider is full.** All its new customers come at the same time. Its 429 closes its route for the wait that
//!    it names, and the [limits](crate::limit) let the calls go one after the other. Who cannot wait goes further down: to a
//!    [stored answer](crate::cache), where there is one, or to the canned reply. There is always one before the deadline.
//! 5. **It is well again.** Two probes in a row are answered. A tenth of the calls goes to the provider, then more and more,
//!    all of them 20 s later: its caches fill, and a provider that falls over again is left alone at once.
//!
//! A pipeline, for which nobody waits, has no need of a lesser answer: what no target answers
//! [waits for recovery](crate::fallback::Fallback::wait_for_recovery), and asks again one by one.
//!
//! # Which failure is met by what
//!
//! | the provider | what meets it | what the caller sees |
//! |---|---|---|
//! | answers 429 with a wait, then well | [`retry`](crate::retry): the wait is heeded; [`limit`](crate::limit): by everybody else too | a whole answer, after the wait |
//! | answers 429 without a wait, always | `retry`: two more, with jitter; then [`ladder`](crate::fallback) | the fallback's answer |
//! | answers 500 or resets the connection, once | `retry`: the same again | a whole answer |
//! | had a connection kept that is dead by now | [`Reconnect`](crate::adapter::Reconnect): again at once on a new one, within the same attempt | a whole answer; no failure is counted |
//! | was never asked, as this machine lacks a descriptor, a port, a network | `retry`, then `ladder`; [never counted](crate::outcome::LocalTrouble) against the provider | a whole answer, or what was lacking |
//! | answers 503, always | `retry`, then `ladder`; soon [`breaker`](crate::breaker) | the fallback's answer, soon at once |
//! | accepts and says nothing | [`timeout`](crate::timeout), then `ladder`; never asked twice | the fallback's answer before the deadline |
//! | says its first word after 20 s | `timeout` on the first content; [`hedge`](crate::hedge), where it is on | the fallback's answer |
//! | is slow on every call | `breaker`: slow calls open it | the fallback's answer, at once |
//! | breaks a stream off before its first content | [`classify`](crate::classify) holds it back until then; `retry`, `ladder` | a whole answer |
//! | breaks a stream off after it | [`stream`](crate::stream) tells; [`MidStreamFailure::Continue`](crate::stream::MidStreamFailure), where it is on | an error in the body, or the rest from another |
//! | stops in the middle of a stream | `timeout` on silence, then the same | the same, 15 s later |
//! | sends an event that is no JSON | [`dialect`](crate::dialect): malformed, a failure | an error, never half an answer for a whole one |
//! | ends well without its last word (`[DONE]`) | `dialect`: the reason to end is enough | a whole answer, at once |
//! | finds the request too large | `ladder`: a fallback with a larger context, or one that is [edited to fit](crate::fallback::Edit::fit_context) | its answer, after one attempt here |
//! | refuses the content | nothing: no way around it | the provider's reason, after one attempt |
//! | fails whenever a tool is called | `ladder`: the [same without that tool](crate::fallback::Fallback::without_tool) | an answer without it |
//! | rejects the key, or the quota is gone | [`balance`](crate::balance): another key at once; else `ladder`; `breaker`: for seconds, or minutes | another's answer |
//! | is down for a minute, then well | `breaker`: probes and a ramp | the fallback's answers, then the first's again within 30 s |
//! | goes on with a prefill for others and rejects it here | `stream`: the next fallback; the first failure is told | the rest from the next, or the first failure |
//! | is down with every fallback | a stored answer, a canned reply, a [wait](crate::fallback::Fallback::wait_for_recovery) | a usable answer in time, or a clear error |
//!
//! Attempts that failed are in the [`AttemptLog`](crate::context::AttemptLog), never in the answer: model and
//! [`UsageHandle`](crate::dialect::UsageHandle) are those of who answered.
//!
//! # See it
//!
//! `cargo run --release --example outage` replays a real day through three clients; `cargo run --example bot` lets you take the
//! provider down yourself; [`evenkeel-testkit`](https://docs.rs/evenkeel-testkit) does it to your own code.
