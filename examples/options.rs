//! Every option of a client, each independent of the others.

use std::time::Duration;

use evenkeel::{
    Client, Profile,
    cache::CachePolicy,
    fallback::{Capabilities, Edit, Fallback, FallbackOn, Prefill, Target},
    hedge::HedgePolicy,
    limit::LimitPolicy,
    stream::MidStreamFailure,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = std::env::var("OPENAI_API_KEY")?;
    let second_key = std::env::var("OPENAI_API_KEY_2")?;
    let mistral_key = std::env::var("MISTRAL_API_KEY")?;
    let day = Duration::from_secs(24 * 3600);
    let model = |name: &str| Target::same_host().bearer(&key).model(name);
    let mistral =
        Target::new("https://api.mistral.ai/v1").bearer(&mistral_key).model("mistral-small-latest");

    let client = Client::builder()
        .profile(
            Profile::interactive()
                .limit(LimitPolicy::new().requests(500).tokens(200_000)) // what the key has a minute
                .hedge(HedgePolicy::default()), // a second copy of a call that is late
        )
        .primaries([&key, &second_key].map(|key| Target::same_host().bearer(key))) // equal keys, balanced
        .cache(CachePolicy::new().coalesce(true)) // equal calls share one attempt
        .fallback(Fallback::target(model("gpt-4.1")).on([FallbackOn::TooLarge])) // for one failure alone
        .fallback(
            Fallback::target(model("gpt-4o-mini"))
                .edit(Edit::new().max_tokens(512).without_tools()),
        ) // less
        .fallback(
            Fallback::target(mistral)
                .capabilities(Capabilities::default().prefill(Prefill::Prefix)),
        )
        .mid_stream_failure(MidStreamFailure::Continue) // the target above continues a stream that broke off
        .fallback(Fallback::stored(day)) // the last good answer to the same
        .fallback(Fallback::canned("We are very busy. A colleague will write to you today."))
        .build()?;
    println!("{client:?}");
    Ok(())
}
