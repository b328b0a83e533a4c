//! Keeps the reasoning of one provider from another: reasoning that another target has made is removed from a request.
//!
//! Thinking is signed, or encrypted, by the provider that made it. A conversation that went to a fallback for one turn holds its
//! signature in every later request. The first target refuses that, once it is back: `Invalid signature in thinking block`, and
//! no call of that conversation succeeds any more. This layer sends each target only the reasoning that it has made itself.
//!
//! Use it below [`fallback`](crate::fallback) and [`balance`](crate::balance); a [`Client`](crate::Client) has it.
//!
//! # What is removed
//!
//! | dialect | reasoning | with it |
//! |---|---|---|
//! | Anthropic messages | `thinking` and `redacted_thinking` blocks | `thinking` is turned off where the request ends in the results of tools whose calls had that thinking |
//! | OpenAI responses | `reasoning` items | the ids of the items that follow them |
//! | OpenAI chat, Ollama | `reasoning_content`, `reasoning`, `reasoning_details` and the like, `thought_signature` | |
//! | Gemini | thoughts and `thoughtSignature` | the calls of the current turn get the documented stand-in `skip_thought_signature_validator` |
//!
//! Texts, tool calls and their results stay. A turn of the model that had only reasoning is removed. A request without foreign
//! reasoning is sent byte for byte.
//!
//! # Who made it
//!
//! Answers of fallbacks, and of equal targets, leave hashes of their signatures and ids in a [`Provenance`], which keeps no text
//! and is bounded in size and time. Reasoning that is not found there is taken for that of the call's own first target: it stays
//! in requests to that target, and is removed for a target at another provider. For OpenAI responses the account counts too.
//!
//! # When a target refuses
//!
//! An answer such as `Invalid signature in thinking block`, `Encrypted content could not be decrypted`, `Corrupted thought
//! signature`, `Expected thinking, but found tool_use`, or a refusal of the field `reasoning_content` is not the end: the target
//! is asked once more without any reasoning. If it refuses the request because reasoning is missing that was removed, it is asked
//! once more with all of it. A call that must not be repeated is not.
//!
//! # Defaults
//!
//! [`ForeignReasoning::Remove`] at every target; [`Target::foreign_reasoning`](crate::fallback::Target::foreign_reasoning) keeps
//! it. [`Edit::without_reasoning`](crate::fallback::Edit::without_reasoning) removes all of it, whoever made it.
//!
//! # Example
//!
//! ```
//! use evenkeel::{Body, Error, Request, Response, reasoning::ReasoningLayer};
//! use tower::{ServiceBuilder, service_fn};
//!
//! let service = ServiceBuilder::new()
//!     .layer(ReasoningLayer::default())
//!     .service(service_fn(|_: Request| async { Ok::<_, Error>(Response::new(Body::from("hello"))) }));
//! # let _ = service;
//! ```
//!
//! # Events
//!
//! [`RequestEdited`](crate::telemetry::EventKind::RequestEdited), with the number of turns whose reasoning was removed.
//!
//! # Pitfalls
//!
//! Several models behind one host count as one provider; their refusals are handled as above. The memory is that of one process:
//! after a restart, the first refusal costs one extra request.

mod attempt;
mod observe;
mod refusal;
mod service;

pub use service::{Reasoning, ReasoningLayer};

pub use crate::provenance::{ForeignReasoning, Provenance};
