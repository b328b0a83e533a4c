use proptest::prelude::*;

use super::*;

#[test]
fn an_overflow_is_known_by_its_words() {
    for message in [
        "prompt is too long: 212345 tokens > 200000 maximum",
        "This model's maximum context length is 8192 tokens. However, you requested 9000.",
        "Your input exceeds the context window of this model.",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "Please reduce the length of the messages or completion.",
        "too many tokens: total number of tokens in the prompt cannot exceed 4081",
        "Input is too long for requested model.",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
        "context length exceeded from messages",
        "the request exceeds the available context size, try increasing it",
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
        "Requested token count exceeds the model's maximum context length of 131072 tokens.",
        "The prompt (5000 tokens) is longer than the model's window",
        "litellm.BadRequestError: {\"error\": {\"message\": \"This model's maximum context length is 8192 tokens.\", \"code\": 400}}",
        "Error code: 400 - {'error': {'message': 'prompt is too long', 'code': 400}}",
        "'max_tokens' is too large: 9000. This model's maximum context length is 8192 tokens and your request has 5000 input tokens",
    ] {
        assert!(is_too_large(message), "{message}");
    }
}

#[test]
fn a_rate_a_parameter_a_time_limit_or_a_quote_is_no_overflow() {
    for message in [
        "Too many tokens, please wait before trying again.",
        "Too many tokens per minute: lower the rate.",
        "Rate limit reached: reduce the length of the messages or wait.",
        "ThrottlingException: too many tokens",
        "max_tokens must be at least 1",
        "max_tokens is too large: 100000. This model supports at most 4096 completion tokens",
        "max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens",
        "context deadline exceeded",
        "messages.0.content.1.image: image exceeds 5 MB maximum: 6000000 bytes > 5242880 bytes",
        "Invalid value: 'the prompt is too long for the context'.",
        "Cannot answer \"why does my input exceed the context limit?\"",
        "temperature must be at most 2",
        "",
    ] {
        assert!(!is_too_large(message), "{message}");
    }
}

#[test]
fn the_blame_is_read_from_what_a_provider_says_and_not_from_what_it_quotes() {
    for (message, blame_of) in [
        ("max_tokens must be at least 1", Some(REQUEST)),
        ("messages[3].content: string too short, minimum length 1", Some(REQUEST)),
        ("messages.1.content.0.thinking: signature", Some(REQUEST)),
        ("Unsupported parameter: 'max_tokens' is not supported with this model.", Some(PARAMETER)),
        ("Unknown name \"foo\" at 'generation_config': Cannot find field.", Some(PARAMETER)),
        ("max_tokens is too large. This model supports at most 4096 tokens", Some(PARAMETER)),
        ("Provider returned error", None),
        ("Something went wrong", None),
        ("The upstream replied: \"messages must be short\"", None),
        ("", None),
    ] {
        assert_eq!(blame(message), blame_of, "{message}");
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_a_quoted_text_has_no_meaning(text in "[^\"]{0,60}", any in "\\PC{0,80}") {
        let quoted = format!("upstream: \"{text}\"");
        prop_assert!(!is_too_large(&quoted));
        let _ = (is_too_large(&any), blame(&any));
    }
}
