//! Targets that take other fields than the call has: what they are known to accept, and what they reject.

use evenkeel::{
    Client,
    fallback::{Compatibility, Edit, Fallback, Target},
    telemetry::EventKind,
};
use evenkeel_testkit::{Hosts, Provider, Reply, Strict};
use proptest::prelude::*;

use crate::support::{EventLog, call, check_property, with_body};

/// A request in the style of GPT-5.
const GPT_5: &str = r#"{"model":"gpt-5-mini","messages":[{"role":"developer","content":"Be brief."},{"role":"user","content":"Where is my parcel?"}],"max_completion_tokens":300,"store":true,"reasoning_effort":"low","stream":true,"stream_options":{"include_usage":true},"seed":7}"#;

fn down() -> Provider {
    Provider::new("primary").always(Reply::status(503))
}

/// A fallback at a host whose provider rejects what its API does not take.
fn strict(host: &str, strict: Strict) -> (Provider, Fallback) {
    let provider = Provider::new(host).strict(strict);
    let target = Target::new(format!("https://{host}/v1")).bearer("the-second-key").model("spare");
    (provider, Fallback::target(target).named("second"))
}

fn client(providers: [&Provider; 2], fallback: Fallback, log: &EventLog) -> Client {
    let builder = log.attach_to(Client::builder().fallback(fallback));
    builder.build_with(Hosts::new(providers.map(Clone::clone))).unwrap()
}

/// The fields that were changed, for each edited request.
fn changed_fields(log: &EventLog) -> Vec<Vec<String>> {
    let fields = |event| match event {
        EventKind::RequestEdited { edited, .. } => {
            Some(edited.fields.iter().map(ToString::to_string).collect())
        }
        _ => None,
    };
    log.events().into_iter().filter_map(fields).collect()
}

#[tokio::test(start_paused = true)]
async fn a_request_in_the_style_of_gpt_5_is_answered_by_mistral() {
    let (primary, log) = (down(), EventLog::default());
    let (second, fallback) = strict("api.mistral.ai", Strict::Mistral);
    let client = client([&primary, &second], fallback, &log);
    let answer = call(&client, with_body(GPT_5)).await.unwrap();
    answer.is_whole();
    assert_eq!(
        (answer.from(), second.count()),
        ("api.mistral.ai", 1),
        "asked once: its fields are known"
    );
    assert_eq!(second.attempts()[0].max_tokens, Some(300), "by its name there");
    let changed = &changed_fields(&log)[0];
    for field in
        ["role", "max_completion_tokens", "seed", "store", "stream_options", "reasoning_effort"]
    {
        assert!(changed.iter().any(|it| it == field), "{field} is missing in {changed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_not_known_is_asked_once_more_without_the_field_that_it_rejects() {
    let (primary, log) = (down(), EventLog::default());
    let (second, fallback) = strict("llm.example", Strict::OpenAiReasoning);
    let client = client([&primary, &second], fallback, &log);
    let body = r#"{"model":"m","max_tokens":300,"messages":[{"role":"user","content":"hi"}]}"#;
    for (nth, asked) in [(1, 2), (2, 3), (3, 4)] {
        let answer = call(&client, with_body(body)).await.unwrap();
        assert_eq!((answer.from(), second.count()), ("llm.example", asked), "call {nth}");
        assert_eq!(second.attempts().last().unwrap().max_tokens, Some(300));
    }
    assert_eq!(changed_fields(&log)[0], ["max_tokens"]);
    tokio::time::sleep(std::time::Duration::from_secs(3700)).await;
    call(&client, with_body(body)).await.unwrap();
    assert_eq!(second.count(), 6, "after an hour it is tried again");
}

#[tokio::test(start_paused = true)]
async fn a_request_is_amended_once_and_what_is_wrong_otherwise_is_not() {
    let (primary, log) = (down(), EventLog::default());
    let second = Provider::new("llm.example").always(Reply::raw(
        400,
        "application/json",
        r#"{"error":{"message":"Unsupported parameter: 'user' is not supported with this model.","param":"user","code":"unsupported_parameter"}}"#,
    ));
    let target = Target::new("https://llm.example/v1").bearer("k");
    let client = client([&primary, &second], Fallback::target(target), &log);
    let with = r#"{"model":"m","user":"u","messages":[{"role":"user","content":"hi"}]}"#;
    let answer = call(&client, with_body(with)).await.unwrap();
    assert_eq!(
        (answer.status.as_u16(), second.count()),
        (503, 2),
        "the first failure is the caller's"
    );
    second.forget();
    let without = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
    call(&client, with_body(without)).await.unwrap();
    assert_eq!(second.count(), 1, "nothing to leave out");
}

#[tokio::test(start_paused = true)]
async fn the_calls_own_first_target_gets_the_request_as_it_came_and_its_rejection_is_the_callers() {
    let log = EventLog::default();
    let primary = Provider::new("primary").strict(Strict::Mistral);
    let second = Provider::new("second");
    let client = client([&primary, &second], Fallback::canned("busy"), &log);
    let answer = call(&client, with_body(GPT_5)).await.unwrap();
    // A parameter that a target does not take moves down; here to a canned reply.
    assert_eq!((answer.from(), primary.count()), ("canned", 1));
    assert!(changed_fields(&log).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_compatibility_that_is_set_applies_to_a_first_target_and_full_turns_the_guess_off() {
    let log = EventLog::default();
    let primary = Provider::new("primary").strict(Strict::Mistral);
    let target = Target::same_host().bearer("k").compatibility(Compatibility::Mistral);
    let builder = log.attach_to(Client::builder().primary(target));
    let client = builder.build_with(Hosts::new([primary.clone()])).unwrap();
    call(&client, with_body(GPT_5)).await.unwrap().is_whole();
    assert_eq!(primary.count(), 1);

    let (primary, second) = (down(), Provider::new("api.mistral.ai"));
    let target = Target::new("https://api.mistral.ai/v1").bearer("k");
    let target = target.compatibility(Compatibility::Full);
    let log = EventLog::default();
    let client = self::client([&primary, &second], Fallback::target(target), &log);
    call(&client, with_body(GPT_5)).await.unwrap().is_whole();
    assert!(changed_fields(&log).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_edit_of_single_fields_is_in_the_event() {
    let (primary, second, log) = (down(), Provider::new("llm.example"), EventLog::default());
    let target = Target::new("https://llm.example/v1").bearer("k");
    let fallback = Fallback::target(target).edit(Edit::new().drop("store").set("seed", 8));
    let client = client([&primary, &second], fallback, &log);
    call(&client, with_body(GPT_5)).await.unwrap().is_whole();
    assert_eq!(changed_fields(&log), [["store", "seed"]]);
}

#[test]
fn law_a_target_is_asked_at_most_twice_whatever_it_rejects() {
    let name = prop::sample::select(vec![
        "user",
        "store",
        "seed",
        "messages",
        "model",
        "tools",
        "n",
        "temperature",
        "stream",
        "zz",
    ]);
    let message = prop::sample::select(vec![
        "Unsupported parameter: 'NAME' is not supported with this model.",
        "Unknown name \"NAME\": Cannot find field.",
        "NAME: Extra inputs are not permitted",
        "NAME is wrong",
    ]);
    check_property(32, (name, message), |(name, message)| {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let message = message.replace("NAME", name);
            let body =
                serde_json::json!({"error": {"message": message, "param": name}}).to_string();
            let second =
                Provider::new("llm.example").always(Reply::raw(400, "application/json", body));
            let (primary, log) = (down(), EventLog::default());
            let target = Target::new("https://llm.example/v1").bearer("k");
            let client = client([&primary, &second], Fallback::target(target), &log);
            call(&client, with_body(GPT_5)).await.unwrap();
            assert!(second.count() <= 2, "{name} {message}");
            let named = ["user", "store", "seed", "temperature"];
            for field in changed_fields(&log).concat() {
                assert!(field == name && named.contains(&name), "{field} for {message}");
            }
        });
        Ok(())
    });
}
