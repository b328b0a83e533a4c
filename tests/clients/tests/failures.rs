//! The sixteen failures of a provider, for every client, unary and streamed, on the real clock at a tenth of their length. A
//! client must receive the whole answer of sixty words, or report an error: a part of it is never a success.

mod failures {
    pub mod catalogue;
}

use evenkeel_clients::{AsyncOpenAi, Middleware, Rig};

macro_rules! play {
    ($client:ident in $module:ident: $($failure:ident)*) => {
        mod $module {
            $(
                #[tokio::test]
                async fn $failure() {
                    crate::failures::catalogue::$failure::<super::$client>().await;
                }
            )*
        }
    };
}

macro_rules! play_all {
    ($($client:ident in $module:ident)*) => { $(play! { $client in $module:
        healthy_answers_arrive_as_they_are
        tools_are_called_as_they_are
        a_cut_call_of_a_tool_is_never_called
        a_rate_limit_with_a_hint_is_waited_out
        a_rate_limit_without_end_moves_to_the_fallback
        one_server_error_is_retried_on_the_same_target
        an_outage_moves_to_the_fallback
        a_connection_that_is_reset_is_asked_again
        a_silent_provider_is_asked_once
        a_late_first_token_moves_to_the_fallback
        an_answer_that_is_cut_is_never_a_success
        committed_when_complete_a_cut_answer_is_made_good
        a_silence_within_the_answer_is_noticed
        committed_when_complete_a_silence_is_made_good
        an_event_that_is_not_json_is_never_an_answer
        an_answer_without_its_sentinel_is_whole
        a_context_that_is_too_long_goes_to_the_larger_target_once
        a_blocked_prompt_is_reported_and_not_routed_around
        no_prefill_reaches_a_target_that_declares_none
        the_primary_is_used_again_after_an_outage
        the_answer_names_the_model_that_gave_it
    })* };
}

play_all! {
    AsyncOpenAi in async_openai
    Middleware in reqwest_middleware
    Rig in rig
}
