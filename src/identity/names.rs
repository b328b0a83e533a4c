//! The default names of headers and query keys.

/// Headers that name the payer or the owner of a credential, of providers and of gateways.
const PAYERS: [&str; 40] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    // Providers.
    "x-api-key",
    "api-key",
    "apikey",
    "x-goog-api-key",
    "x-goog-user-project",
    "openai-organization",
    "openai-project",
    "anthropic-workspace-id",
    "x-api-token",
    "x-auth-token",
    "x-auth-key",
    "x-auth-email",
    "x-access-token",
    "x-access-key",
    "x-user-token",
    "x-token",
    "private-token",
    // Gateways.
    "ocp-apim-subscription-key",
    "subscription-key",
    "x-functions-key",
    "x-rapidapi-key",
    "cf-aig-authorization",
    "cf-access-client-id",
    "cf-access-client-secret",
    "helicone-auth",
    "x-portkey-api-key",
    "x-portkey-virtual-key",
    "x-portkey-config",
    "x-litellm-api-key",
    "x-litellm-key",
    "x-bf-vk",
    "x-tfy-api-key",
    "x-kong-api-key",
    "x-consumer-id",
    "x-organization-id",
    "x-project-id",
    "x-workspace-id",
];

/// Headers that belong to the signature in `authorization`, and mean nothing without it.
const OF_SIGNATURES: [&str; 3] = ["x-amz-content-sha256", "x-amz-date", "x-amz-security-token"];

/// Query keys that carry a credential.
const PAYER_KEYS: [&str; 16] = [
    "key",
    "api_key",
    "api-key",
    "apikey",
    "x-api-key",
    "access_token",
    "access-token",
    "accesstoken",
    "auth_token",
    "token",
    "authorization",
    "subscription-key",
    "subscription_key",
    "code",
    "x-amz-credential",
    "x-goog-credential",
];

/// Parts of a name that suggest a secret, at any position.
const SECRETS: [&str; 12] = [
    "auth",
    "key",
    "token",
    "secret",
    "cookie",
    "session",
    "sig",
    "credential",
    "jwt",
    "passw",
    "pwd",
    "assertion",
];

/// Words of a name that suggest a person or an account.
const PERSONS: [&str; 47] = [
    "user",
    "users",
    "username",
    "userid",
    "userinfo",
    "uid",
    "upn",
    "login",
    "email",
    "mail",
    "member",
    "person",
    "principal",
    "subject",
    "sub",
    "identity",
    "claims",
    "oidc",
    "dpop",
    "tenant",
    "tenantid",
    "account",
    "accountid",
    "customer",
    "consumer",
    "company",
    "team",
    "role",
    "roles",
    "group",
    "groups",
    "org",
    "organization",
    "workspace",
    "caller",
    "clientid",
    "device",
    "employee",
    "impersonate",
    "impersonated",
    "owner",
    "patient",
    "project",
    "seat",
    "subscriber",
    "subscription",
    "visitor",
];

/// Headers that are forwarded to another origin: the form of the body and of the answer, versions, and ids for tracing.
const FORWARDED: [&str; 18] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "anthropic-beta",
    "anthropic-version",
    "cache-control",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "openai-beta",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-client-request-id",
    "x-goog-api-client",
    "x-request-id",
];

/// The prefix of the headers in which the official SDKs describe themselves.
const FORWARDED_PREFIX: &str = "x-stainless-";

/// Query keys that are forwarded: the form of the answer, the version of the API, and pagination.
const FORWARDED_KEYS: [&str; 21] = [
    "alt",
    "$alt",
    "$fields",
    "after",
    "after_id",
    "api-version",
    "before",
    "before_id",
    "beta",
    "fields",
    "include",
    "include[]",
    "limit",
    "order",
    "pagesize",
    "pagetoken",
    "prettyprint",
    "purpose",
    "starting_after",
    "stream",
    "updatemask",
];

pub(super) fn is_payer(header: &str) -> bool {
    PAYERS.contains(&header)
}

pub(super) fn is_of_a_signature(header: &str) -> bool {
    OF_SIGNATURES.contains(&header)
}

pub(super) fn is_payer_key(key: &str) -> bool {
    PAYER_KEYS.contains(&key)
}

pub(super) fn is_forwarded(header: &str) -> bool {
    FORWARDED.contains(&header) || header.starts_with(FORWARDED_PREFIX)
}

pub(super) fn is_forwarded_key(key: &str) -> bool {
    FORWARDED_KEYS.contains(&key)
}

/// Whether a lower-case name of a header or a query key suggests a secret.
pub(super) fn is_secret(name: &str) -> bool {
    SECRETS.iter().any(|part| name.contains(part))
}

/// Whether a header suggests a secret, a person or an account. A false positive costs an answer that could have been shared; a
/// false negative would serve an answer to another person.
pub(super) fn is_personal(header: &str) -> bool {
    // The name of the software, and keys that are new for each request.
    let other = header == "user-agent" || header.contains("idempotency");
    let words = || header.split(['-', '_', '.']);
    let client = header.ends_with("client-id");
    !other && (client || is_secret(header) || words().any(|word| PERSONS.contains(&word)))
}
