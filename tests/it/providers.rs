//! The errors of each provider as they are on the wire, one table for each, and those of proxies in between.

use std::time::Duration;

use evenkeel::{
    Client, Profile,
    classify::ClassifyPolicy,
    context::Route,
    outcome::{CodeClass, ErrorCodeTable, Outcome, Rejection, classify, classify_with},
};
use evenkeel_testkit::Reply;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::support::{call, chat, over, pair, secondary, secs};

const DOWN: Outcome = Outcome::Unavailable { wait: None };
const LIMITED: Outcome = Outcome::RateLimited { wait: None };
const BROKE: Outcome = Outcome::QuotaExhausted { wait: None };
const KEY: Outcome = Outcome::Rejected { why: Rejection::Credential };
const SCOPE: Outcome = Outcome::Rejected { why: Rejection::Permission };
const WAY: Outcome = Outcome::Rejected { why: Rejection::Gateway };
const MODEL: Outcome = Outcome::Rejected { why: Rejection::Model };
const REQUEST: Outcome = Outcome::Rejected { why: Rejection::Request };

const fn limited(millis: u64) -> Outcome {
    Outcome::RateLimited { wait: Some(Duration::from_millis(millis)) }
}

const fn broke(seconds: u64) -> Outcome {
    Outcome::QuotaExhausted { wait: Some(Duration::from_secs(seconds)) }
}

/// Status, headers (`name: value`, one on each line), body, the outcome.
type Row = (u16, &'static str, &'static str, Outcome);

fn headers(lines: &str) -> HeaderMap {
    let pairs = lines.lines().filter_map(|line| line.split_once(": "));
    let parsed = |(name, value): (&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
    };
    pairs.map(parsed).collect()
}

fn assert_rows(rows: &[Row]) {
    for (status, lines, body, outcome) in rows {
        let status = StatusCode::from_u16(*status).unwrap();
        let verdict = classify(status, &headers(lines), body.as_bytes());
        assert_eq!(verdict.outcome(), *outcome, "{status} {lines} {body}");
    }
}

#[test]
fn errors_of_openai() {
    assert_rows(&[
        (
            401,
            "",
            r#"{"error":{"message":"Incorrect API key provided: sk-a***b.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
            KEY,
        ),
        (
            401,
            "",
            r#"{"error":{"message":"Your account has been deactivated","type":"invalid_request_error","code":"account_deactivated"}}"#,
            KEY,
        ),
        (
            403,
            "",
            r#"{"error":{"code":"unsupported_country_region_territory","message":"m","type":"request_forbidden"}}"#,
            KEY,
        ),
        (
            404,
            "",
            r#"{"error":{"message":"The model `x` does not exist","type":"invalid_request_error","code":"model_not_found"}}"#,
            MODEL,
        ),
        (
            429,
            "",
            r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
            BROKE,
        ),
        (
            429,
            "",
            r#"{"error":{"message":"Rate limit reached for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2.5s.","type":"tokens","code":"rate_limit_exceeded"}}"#,
            limited(2500),
        ),
        (
            429,
            "",
            r#"{"error":{"message":"Rate limit reached for gpt-4o on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s.","type":"requests","code":"rate_limit_exceeded"}}"#,
            broke(432),
        ),
        (
            429,
            "",
            r#"{"error":{"message":"Rate limit reached for gpt-4o on requests per day (RPD): Limit 10000, Used 10000, Requested 1. Please try again in 8.64s.","type":"requests","code":"rate_limit_exceeded"}}"#,
            limited(8640),
        ),
        (
            429,
            "x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 1m30s",
            r#"{"error":{"code":"rate_limit_exceeded"}}"#,
            limited(90_000),
        ),
        (
            500,
            "",
            r#"{"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}"#,
            DOWN,
        ),
        (
            503,
            "",
            r#"{"error":{"message":"That model is currently overloaded","type":"server_error"}}"#,
            DOWN,
        ),
        (
            400,
            "",
            r#"{"error":{"message":"m","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
            Outcome::TooLarge,
        ),
        (
            400,
            "",
            r#"{"error":{"message":"m","type":"image_generation_user_error","code":"moderation_blocked"}}"#,
            Outcome::Blocked,
        ),
        (
            200,
            "",
            r#"{"object":"response","status":"failed","error":{"code":"rate_limit_exceeded","message":"m"}}"#,
            LIMITED,
        ),
    ]);
}

#[test]
fn errors_of_azure_openai() {
    assert_rows(&[
        (
            401,
            "",
            r#"{"statusCode":401,"message":"Unauthorized. Access token is missing, invalid"}"#,
            KEY,
        ),
        (
            401,
            "",
            r#"{"error":{"code":"401","message":"Access denied due to invalid subscription key"}}"#,
            KEY,
        ),
        (404, "", r#"{"error":{"code":"DeploymentNotFound","message":"m"}}"#, MODEL),
        (
            429,
            "retry-after: 7",
            r#"{"error":{"code":"429","message":"Requests have exceeded the call rate limit. Please retry after 9 seconds."}}"#,
            limited(7000),
        ),
        (
            429,
            "",
            r#"{"error":{"code":"429","message":"Please retry after 86400 seconds."}}"#,
            limited(86_400_000),
        ),
        (
            429,
            "retry-after-ms: 1500",
            r#"{"error":{"code":"too_many_requests","message":"System is experiencing high demand"}}"#,
            limited(1500),
        ),
        (
            400,
            "",
            r#"{"error":{"code":"content_filter","param":"prompt","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            Outcome::Blocked,
        ),
        (
            403,
            "",
            r#"{"statusCode":403,"message":"Out of call volume quota. Quota will be replenished in 01:30:00."}"#,
            BROKE,
        ),
        (408, "", r#"{"error":{"code":"Timeout","message":"The operation was timeout."}}"#, DOWN),
    ]);
}

#[test]
fn errors_of_anthropic() {
    let error = |kind: &str| {
        format!(
            r#"{{"type":"error","error":{{"type":"{kind}","message":"m"}},"request_id":"req_1"}}"#
        )
    };
    for (status, kind, outcome) in [
        (401, "authentication_error", KEY),
        (403, "permission_error", SCOPE),
        (404, "not_found_error", MODEL),
        (413, "request_too_large", Outcome::TooLarge),
        (429, "rate_limit_error", LIMITED),
        (400, "billing_error", BROKE),
        (500, "api_error", DOWN),
        (504, "timeout_error", DOWN),
        (529, "overloaded_error", DOWN),
        (200, "overloaded_error", DOWN),
    ] {
        let verdict =
            classify(status.try_into().unwrap(), &HeaderMap::new(), error(kind).as_bytes());
        assert_eq!(verdict.outcome(), outcome, "{kind}");
        assert_eq!(verdict.unknown_code(), None, "{kind}");
    }
    assert_rows(&[
        (
            400,
            "",
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API."}}"#,
            BROKE,
        ),
        (
            400,
            "",
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"}}"#,
            Outcome::TooLarge,
        ),
        (
            413,
            "content-type: text/html",
            "<html><h1>413 Request Entity Too Large</h1><hr>cloudflare</html>",
            Outcome::TooLarge,
        ),
    ]);
}

#[test]
fn errors_of_gemini_and_vertex() {
    assert_rows(&[
        (
            400,
            "",
            r#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#,
            KEY,
        ),
        (403, "", r#"{"error":{"code":403,"message":"m","status":"PERMISSION_DENIED"}}"#, SCOPE),
        (401, "", r#"[{"error":{"code":401,"message":"m","status":"UNAUTHENTICATED"}}]"#, KEY),
        (
            404,
            "",
            r#"{"error":{"code":404,"message":"models/x is not found","status":"NOT_FOUND"}}"#,
            MODEL,
        ),
        (
            429,
            "",
            r#"[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"38.5s"}]}}]"#,
            limited(38_500),
        ),
        (
            429,
            "",
            r#"{"error":{"code":429,"message":"You exceeded your current quota. Please retry in 10h17m5s.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"t","violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}}"#,
            broke(37_025),
        ),
        (
            429,
            "",
            r#"{"error":{"code":429,"message":"Too many requests. Exceeded the Provisioned Throughput.","status":"RESOURCE_EXHAUSTED"}}"#,
            LIMITED,
        ),
        (
            503,
            "",
            r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#,
            DOWN,
        ),
        (500, "", r#"{"error":{"code":500,"message":"m","status":"INTERNAL"}}"#, DOWN),
        (
            400,
            "",
            r#"{"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).","status":"INVALID_ARGUMENT"}}"#,
            Outcome::TooLarge,
        ),
        (200, "", r#"[{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}]"#, DOWN),
    ]);
}

#[test]
fn errors_of_bedrock() {
    assert_rows(&[
        (
            429,
            "x-amzn-errortype: ThrottlingException:http://internal.amazon.com/",
            r#"{"message":"Too many tokens, please wait before trying again."}"#,
            LIMITED,
        ),
        (
            403,
            "x-amzn-errortype: AccessDeniedException",
            r#"{"message":"You don't have access to the model"}"#,
            SCOPE,
        ),
        (
            403,
            "x-amzn-errortype: UnrecognizedClientException",
            r#"{"message":"The security token included in the request is invalid."}"#,
            KEY,
        ),
        (
            403,
            "x-amzn-errortype: ExpiredTokenException",
            r#"{"message":"The security token included in the request is expired"}"#,
            KEY,
        ),
        (
            403,
            "",
            r#"{"__type":"com.amazon.coral.service#AccessDeniedException","message":"m"}"#,
            SCOPE,
        ),
        (
            400,
            "x-amzn-errortype: ValidationException",
            r#"{"message":"Input is too long for requested model."}"#,
            Outcome::TooLarge,
        ),
        (400, "", r#"{"code":"ServiceQuotaExceededException","message":"m"}"#, LIMITED),
        (503, "x-amzn-errortype: ServiceUnavailableException", "", DOWN),
        (424, "x-amzn-errortype: ModelStreamErrorException", "{}", DOWN),
    ]);
}

#[test]
fn errors_of_mistral_groq_cohere_and_deepseek() {
    assert_rows(&[
        // Mistral
        (401, "", r#"{"detail":"Unauthorized"}"#, KEY),
        (401, "", r#"{"message":"Unauthorized","request_id":"r"}"#, KEY),
        (
            422,
            "",
            r#"{"detail":[{"loc":["body","model"],"msg":"field required","type":"value_error.missing"}]}"#,
            REQUEST,
        ),
        (
            400,
            "",
            r#"{"object":"error","message":"Invalid model: x","type":"invalid_model","param":null,"code":"1500"}"#,
            MODEL,
        ),
        (
            429,
            "",
            r#"{"object":"error","message":"Service tier capacity exceeded for this model.","type":"service_tier_capacity_exceeded","param":null,"code":"3505"}"#,
            LIMITED,
        ),
        (429, "", r#"{"message":"Requests rate limit exceeded"}"#, LIMITED),
        // Groq
        (
            429,
            "retry-after: 3",
            r#"{"error":{"message":"Rate limit reached for model `m` in organization `o` on tokens per minute (TPM): Limit 6000. Please try again in 2.9s.","type":"tokens","code":"rate_limit_exceeded"}}"#,
            limited(3000),
        ),
        (
            429,
            "retry-after: 983",
            r#"{"error":{"message":"Rate limit reached for model `m` in organization `o` service tier `on_demand` on tokens per day (TPD): Limit 100000, Used 99937, Requested 1200. Please try again in 16m22.368s.","type":"tokens","code":"rate_limit_exceeded"}}"#,
            broke(983),
        ),
        (
            498,
            "",
            r#"{"error":{"message":"Flex tier capacity exceeded","type":"capacity_exceeded"}}"#,
            DOWN,
        ),
        (
            413,
            "",
            r#"{"error":{"message":"Request too large for model","type":"tokens","code":"rate_limit_exceeded"}}"#,
            Outcome::TooLarge,
        ),
        // Cohere
        (401, "", r#"{"message":"invalid api token"}"#, KEY),
        (
            429,
            "",
            r#"{"message":"You are using a Trial key, which is limited to 1000 API calls / month."}"#,
            BROKE,
        ),
        (
            429,
            "",
            r#"{"message":"You are using a Trial key, which is limited to 20 API calls / minute."}"#,
            LIMITED,
        ),
        (
            400,
            "",
            r#"{"message":"too many tokens: size limit exceeded by 9 tokens"}"#,
            Outcome::TooLarge,
        ),
        // DeepSeek
        (
            402,
            "",
            r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#,
            BROKE,
        ),
        (
            401,
            "",
            r#"{"error":{"message":"Authentication Fails (no such user)","type":"authentication_error","param":null,"code":"invalid_request_error"}}"#,
            KEY,
        ),
        (
            503,
            "",
            r#"{"error":{"message":"Service is too busy","type":"service_unavailable_error"}}"#,
            DOWN,
        ),
    ]);
}

#[test]
fn errors_of_ollama_vllm_and_openrouter() {
    assert_rows(&[
        // Ollama
        (404, "", r#"{"error":"model \"x\" not found, try pulling it first"}"#, MODEL),
        (
            503,
            "",
            r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#,
            DOWN,
        ),
        (500, "", r#"{"error":"llama runner process has terminated: signal: killed"}"#, DOWN),
        (401, "", r#"{"error":"unauthorized"}"#, KEY),
        (200, "", r#"{"error":"unexpected EOF"}"#, DOWN),
        // vLLM
        (
            400,
            "",
            r#"{"object":"error","message":"This model's maximum context length is 8 tokens.","type":"BadRequestError","param":null,"code":400}"#,
            Outcome::TooLarge,
        ),
        (
            404,
            "",
            r#"{"error":{"message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404}}"#,
            MODEL,
        ),
        (401, "", r#"{"error":"Unauthorized"}"#, KEY),
        (
            503,
            "",
            r#"{"object":"error","message":"m","type":"ServiceUnavailable","code":"503"}"#,
            DOWN,
        ),
        // OpenRouter
        (402, "", r#"{"error":{"code":402,"message":"Insufficient credits"}}"#, BROKE),
        (
            402,
            "",
            r#"{"error":{"code":402,"message":"m","metadata":{"error_type":"in_flight_budget_exhausted"}}}"#,
            DOWN,
        ),
        (
            429,
            "x-ratelimit-remaining: 0",
            r#"{"error":{"code":429,"message":"Rate limit exceeded: free-models-per-day"}}"#,
            BROKE,
        ),
        (
            403,
            "",
            r#"{"error":{"code":403,"message":"m","metadata":{"reasons":["violence"]}}}"#,
            Outcome::Blocked,
        ),
        (401, "", r#"{"error":{"code":401,"message":"No auth credentials found"}}"#, KEY),
        (
            200,
            "",
            r#"{"error":{"code":502,"message":"m","metadata":{"error_type":"provider_overloaded"}}}"#,
            DOWN,
        ),
        (
            200,
            "",
            r#"{"id":"g","choices":[{"error":{"code":429,"message":"m","metadata":{"error_type":"rate_limit_exceeded"}}}]}"#,
            LIMITED,
        ),
    ]);
}

#[test]
fn proxies_are_recognised_by_their_status_and_do_not_reject_the_key() {
    for status in [502, 503, 504, 520, 522, 524, 530] {
        for body in [
            "",
            "<html><head><title>Bad Gateway</title></head></html>",
            "error code: 1033",
            "upstream connect error",
            "{\"err",
        ] {
            let verdict = classify(status.try_into().unwrap(), &HeaderMap::new(), body.as_bytes());
            assert_eq!((verdict.outcome(), verdict.code()), (DOWN, None), "{status} {body}");
        }
    }
    assert_rows(&[
        (
            403,
            "content-type: text/html",
            "<!DOCTYPE html><html><title>Attention Required! | Cloudflare</title>",
            WAY,
        ),
        (403, "content-type: text/plain", "error code: 1020", WAY),
        (403, "", "RBAC: access denied", WAY),
        (403, "", "", WAY),
        (407, "proxy-authenticate: Basic", "", WAY),
        // Whatever the shape, a JSON 403 of an API forbids what this request asks for.
        (403, "", "{}", SCOPE),
        (403, "", r#"{"error":{"message":"Forbidden"}}"#, SCOPE),
        (403, "", r#"{"error":{"code":"403","mess"#, SCOPE),
        (401, "", "<html>401</html>", KEY),
    ]);
}

#[test]
fn no_shape_of_a_body_changes_the_meaning_of_the_status() {
    for body in [
        "",
        "[]",
        "[[[]]]",
        "{}",
        "null",
        "7",
        "\"\"",
        "\u{feff}{}",
        "{\"error\":null}",
        "{\"error\":7}",
        "{\"error\":{\"code\":[]}}",
        "{\"error\":{\"code\":7.5}}",
        "{\"error\":{\"code\":-1,\"type\":9}}",
        "{\"error\":[{\"code\":12345678901234567890}]}",
        "{\"error\":{\"message\":{\"text\":\"m\"}}}",
        "{\"error\":{\"message\":\"cut",
        "[{\"error\":{\"code\":\"",
        "\u{0}\u{1}",
    ] {
        for (status, outcome) in
            [(429, LIMITED), (503, DOWN), (401, KEY), (404, MODEL), (422, Outcome::Declined)]
        {
            let verdict = classify(status.try_into().unwrap(), &HeaderMap::new(), body.as_bytes());
            assert_eq!(verdict.outcome(), outcome, "{status} {body}");
        }
    }
}

/// An unknown server with OpenAI's dialect needs no rule: its status decides, and its code is reported.
#[test]
fn an_unknown_code_falls_back_to_its_status_and_is_reported() {
    for (status, outcome) in
        [(400, Outcome::Declined), (401, KEY), (429, LIMITED), (503, DOWN), (200, DOWN)]
    {
        let body = br#"{"error":{"message":"m","type":"acme_trouble","code":"acme_17"}}"#;
        let verdict = classify(status.try_into().unwrap(), &HeaderMap::new(), body);
        assert_eq!(verdict.outcome(), outcome);
        assert_eq!(verdict.unknown_code().unwrap().as_str(), "acme_17");
    }
    for known in [
        r#"{"error":{"code":"slow_down"}}"#,
        r#"{"error":{"type":"rate_limit_error"}}"#,
        r#"{"error":{"code":429}}"#,
        r#"{"error":{"code":"429"}}"#,
        r#"{"error":{"message":"Your credit balance is too low","type":"odd_type"}}"#,
        r#"{"error":{"message":"m"}}"#,
        "",
    ] {
        let verdict = classify(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), known.as_bytes());
        assert_eq!(verdict.unknown_code(), None, "{known}");
    }
}

#[test]
fn a_key_echoed_in_place_of_a_code_is_not_kept() {
    for secret in [
        "sk-proj-abcDEF0123456789",
        "gsk_abcdefghij",
        "AIzaSyA1234567890abcdefghijklmnopqrstu",
        "AKIAIOSFODNN7EXAMPLE",
        "0123456789abcdef0123456789abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIi",
    ] {
        let body =
            format!(r#"{{"error":{{"code":"{secret}","type":"{secret}","error":"{secret}"}}}}"#);
        let verdict = classify(StatusCode::UNAUTHORIZED, &HeaderMap::new(), body.as_bytes());
        assert_eq!(verdict.code(), None, "{secret}");
        assert!(!format!("{verdict:?}").contains(secret));
    }
}

#[test]
fn the_same_code_may_mean_something_else_at_another_provider() {
    let codes = ErrorCodeTable::default()
        .with_for("api.mistral.ai", "3505", CodeClass::Unavailable)
        .with_for("*.openai.azure.com", "429", CodeClass::RateLimited)
        .with_for("api.acme.test", "slow_down", CodeClass::QuotaExhausted);
    let body = br#"{"error":{"code":"slow_down"}}"#;
    let outcome = |route: &Route| {
        let codes = codes.at(route.provider());
        classify_with(&codes, StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), body).outcome()
    };
    assert_eq!(outcome(&Route::new("api.acme.test", "m", "-")), BROKE);
    assert_eq!(outcome(&Route::new("api.acme.test:8080", "m", "-")), BROKE);
    assert_eq!(outcome(&Route::new("api.openai.com", "m", "-")), LIMITED);
}

/// The layers know the provider of each answer.
#[tokio::test(start_paused = true)]
async fn a_rule_of_one_provider_holds_for_its_answers_in_the_whole_stack() {
    let codes = ErrorCodeTable::default().with_for("secondary", "odd", CodeClass::QuotaExhausted);
    let profile = Profile::interactive().classify(ClassifyPolicy::default().codes(codes));
    let (primary, second) = pair();
    let odd = Reply::error(429, "t", "odd").retry_after(secs(300));
    primary.set(odd.clone());
    second.set(odd);
    let builder = Client::builder().profile(profile).fallback(secondary());
    let answer = call(&over(builder, [&primary, &second]), chat(true)).await.unwrap();
    let outcomes: Vec<_> =
        answer.attempt_log.unwrap().attempts().iter().map(|a| a.outcome).collect();
    assert_eq!(outcomes, [limited(300_000), broke(300)]);
}
