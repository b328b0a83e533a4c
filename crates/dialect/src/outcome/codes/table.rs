//! The providers' error codes, with their meanings.

use super::class::{CREDENTIAL, CodeClass, MODEL, PARAMETER, PERMISSION, REQUEST};

/// The meanings of the providers' codes. The first match counts, so a `*` comes after the codes that it must not match.
#[rustfmt::skip]
pub(super) const TABLE: &[(CodeClass, &[&str])] = &[
    // An exhausted quota. A 429 is also sent for a busy minute, so these codes come first.
    (CodeClass::QuotaExhausted, &[
        // OpenAI and compatible servers
        "insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded",
        "organization_usage_limit_exceeded", "billing_hard_limit_reached", "billing_not_active",
        "insufficient_balance", "insufficient_credits", "exceeded_current_quota_error", "usage_limit_reached",
        "spend_limit_reached", "spending_limit_reached",
        // Zhipu: no balance, the limit of a day, the limit of the plan
        "1113", "1304", "1308",
        // Anthropic
        "enforced_spend_limit_reached", "billing_error",
        // OpenRouter, Gemini
        "payment_required", "weight_exceeds_budget", "QUOTA_EXHAUSTED", "*per_day*",
    ]),
    (CodeClass::TooLarge, &[
        "context_length_exceeded", "context_window_exceeded", "exceed_context_size_error", "tokens_limit_reached",
        "model_max_prompt_tokens_exceeded", "string_above_max_length", "request_too_large", "payload_too_large",
    ]),
    (CodeClass::Blocked, &[
        "content_filter", "content_filtered", "content_policy_violation", "invalid_prompt", "bio_policy",
        "cyber_policy", "image_content_policy_violation", "moderation", "moderation_blocked", "refusal",
        "ResponsibleAIPolicyViolation", "data_inspection_failed",
        // Zhipu
        "1301",
    ]),
    (CREDENTIAL, &[
        "invalid_api_key", "api_key_invalid", "account_deactivated", "access_terminated", "ip_not_authorized",
        "unsupported_country_region_territory", "authentication_error", "organization_restricted",
        "organization_disabled", "organization_deactivated",
        "api_key_expired", "token_expired", "invalid_token", "token_revoked", "token_invalidated", "key_revoked",
        // Bedrock
        "UnrecognizedClientException", "ExpiredTokenException", "InvalidSignatureException",
        "IncompleteSignatureException", "MissingAuthenticationTokenException",
    ]),
    // The key is valid, but not permitted for this use.
    (PERMISSION, &[
        "missing_scope", "insufficient_scope", "insufficient_permissions", "permission_error", "AccessDeniedException",
    ]),
    (MODEL, &[
        "model_not_found", "DeploymentNotFound", "model_not_available", "model_not_supported", "unknown_model",
        "model_decommissioned", "model_terms_required", "OperationNotSupported", "invalid_model",
        "ResourceNotFoundException", "FTUFormNotFilled",
    ]),
    // Known, but not to this target.
    (PARAMETER, &[
        "unsupported_parameter", "unknown_parameter", "extra_forbidden", "unsupported_value",
    ]),
    (REQUEST, &[
        "missing_required_parameter", "invalid_value", "invalid_type", "invalid_json", "json_parse_error",
        "integer_below_min_value", "integer_above_max_value", "decimal_below_min_value", "decimal_above_max_value",
        "array_below_min_length", "array_above_max_length", "string_below_min_length", "empty_array", "empty_string",
        "invalid_function_parameters",
        "data_residency_mismatch", "invalid_image*", "invalid_base64_image", "image_*", "empty_image_file",
        "unsupported_image_media_type", "failed_to_download_image", "previous_response_not_found",
    ]),

    (CodeClass::RateLimited, &[
        "rate_limit_exceeded", "rate_limit_reached", "rate_limit_reached_error", "too_many_requests", "slow_down",
        "ThrottlingException", "ServiceQuotaExceededException",
        // Zhipu: concurrency, frequency
        "1302", "1303",
        "service_tier_capacity_exceeded", "*per_minute*",
    ]),
    (CodeClass::Unavailable, &[
        "vector_store_timeout", "engine_overloaded", "engine_overloaded_error", "overloaded", "NoCapacity",
        "MODEL_CAPACITY_EXHAUSTED", "capacity_exceeded",
        // OpenRouter: 402 with the first code lasts seconds.
        "in_flight_budget_exhausted", "provider_overloaded", "provider_unavailable", "server", "timeout",
        // Bedrock
        "ModelNotReadyException", "ModelTimeoutException", "ModelStreamErrorException",
        "ServiceUnavailableException", "InternalServerException", "ModelErrorException",
        // Gemini, under load: the caller has cancelled nothing.
        "CANCELLED", "backendError",
        // Zhipu
        "1305",
    ]),
    // Groq: the model wrote a tool call, or JSON, that cannot be parsed.
    (CodeClass::Unfinished, &["tool_use_failed", "json_validate_failed"]),

    // Bedrock's ValidationException may be an overflow: its message decides.
    (CodeClass::Status(400), &[
        "invalid_request_error", "invalid_request", "bad_request_error", "INVALID_ARGUMENT", "ValidationException",
        "UnprocessableEntityError",
    ]),
    (CodeClass::Status(401), &["UNAUTHENTICATED", "unauthorized", "invalid_authentication_error"]),
    (CodeClass::Status(403), &["PERMISSION_DENIED"]),
    (CodeClass::Status(404), &["not_found_error", "not_found"]),
    (CodeClass::Status(429), &["rate_limit_error", "RESOURCE_EXHAUSTED"]),
    (CodeClass::Status(500), &["api_error", "server_error", "internal_server_error", "internal_error", "INTERNAL"]),
    (CodeClass::Status(503), &["UNAVAILABLE", "service_unavailable", "service_unavailable_error"]),
    (CodeClass::Status(504), &["timeout_error", "DEADLINE_EXCEEDED"]),
    (CodeClass::Status(529), &["overloaded_error"]),
];
