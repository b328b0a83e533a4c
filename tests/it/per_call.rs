//! Settings of one call in its extensions: fallbacks, a commit point, a non-replayable body.

use std::sync::Arc;

use evenkeel::{
    Client, Profile,
    context::NonReplayable,
    fallback::{Fallback, Fallbacks, Target},
    stream::CommitPolicy,
};
use evenkeel_testkit::{Fault, Provider, Reply};

use crate::support::{call, chat, over, pair, secondary, with_extension};

fn model(model: &str) -> Fallback {
    Fallback::target(Target::same_host().model(model))
}

fn models(provider: &Provider) -> Vec<Arc<str>> {
    provider.attempts().into_iter().filter_map(|attempt| attempt.model).collect()
}

#[tokio::test(start_paused = true)]
async fn fallbacks_of_a_call_stand_between_the_first_and_the_others() {
    let (primary, spare) = pair();
    primary.set(Reply::quota_exhausted());
    let client = over(Client::builder().fallback(secondary()), [&primary, &spare]);
    let own = Fallbacks::new([model("b"), model("c")]).unwrap();
    let answer = call(&client, with_extension(chat(true), own)).await.unwrap();
    answer.is_whole();
    assert_eq!(
        (answer.from(), &answer.headers["evenkeel-attempts"]),
        ("secondary", &"4".parse().unwrap())
    );
    let told: Vec<_> =
        answer.attempt_log.unwrap().attempts().iter().map(|it| it.fallback).collect();
    assert_eq!(
        (told, models(&primary)),
        (vec![0, 1, 2, 3], ["m", "b", "c"].map(Arc::from).to_vec())
    );
    // The next call has none of the settings, and the breakers have recorded the failures.
    call(&client, chat(true)).await.unwrap().is_whole();
    assert_eq!((primary.count(), client.breakers().list().len()), (3, 4));
}

#[tokio::test(start_paused = true)]
async fn a_call_asks_its_own_fallbacks_where_no_fallbacks_was_set() {
    let primary = Provider::new("primary").replies([Reply::error(404, "", "model_not_found")]);
    let client = over(Client::builder(), [&primary]);
    let own = Fallbacks::new([model("b"), Fallback::canned("never asked")]).unwrap();
    let answer = call(&client, with_extension(chat(false), own)).await.unwrap();
    answer.is_whole();
    assert_eq!(models(&primary), ["m", "b"].map(Arc::from).to_vec());
}

#[test]
fn fallbacks_of_a_call_are_validated_when_they_are_made() {
    let field =
        |fallbacks: Vec<Fallback>| Fallbacks::new(fallbacks).unwrap_err().field().to_owned();
    assert_eq!(field(vec![model("m"); 9]), "fallbacks");
    assert_eq!(
        field(vec![model("m"), Fallback::target(Target::new("nowhere"))]),
        "fallbacks[1].base_url"
    );
    assert_eq!(field(vec![Fallback::canned("a"), model("m")]), "fallbacks[0]");
    assert_eq!(field(vec![model("m").named("")]), "fallbacks[0].name");
    assert!(Fallbacks::new([]).is_ok() && Fallbacks::new(vec![model("m"); 8]).is_ok());
    let error = Fallbacks::new(std::iter::repeat(model("m"))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "fallbacks is more than 8; allowed is at most 8 fallbacks",
        "it is bounded"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_may_wait_for_the_whole_stream_and_the_next_need_not() {
    let cut = || Reply::answer().with(Fault::Cut { words: 40 });
    let primary = Provider::new("primary").replies([cut(), Reply::answer(), cut()]);
    let client = over(Client::builder(), [&primary]);
    call(&client, with_extension(chat(true), CommitPolicy::Complete)).await.unwrap().is_whole();
    assert_eq!(primary.count(), 2);
    assert!(
        call(&client, chat(true)).await.unwrap().error.is_some_and(|error| error.is_truncated())
    );
    assert_eq!(primary.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_call_may_commit_at_the_first_content_where_the_profile_waits_for_all() {
    let primary = Provider::new("primary").always(Reply::answer().with(Fault::Cut { words: 40 }));
    let client = over(Client::builder().profile(Profile::pipeline()), [&primary]);
    let answer =
        call(&client, with_extension(chat(true), CommitPolicy::FirstContent)).await.unwrap();
    assert!(answer.error.is_some() && !answer.frames.is_empty());
    assert_eq!(primary.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_non_replayable_body_is_sent_once() {
    let (primary, spare) = pair();
    primary.set(Reply::status(503));
    let client = over(Client::builder().fallback(secondary()), [&primary, &spare]);
    let answer = call(&client, with_extension(chat(true), NonReplayable)).await.unwrap();
    assert_eq!((answer.status.as_u16(), primary.count(), spare.count()), (503, 1, 0));
}
