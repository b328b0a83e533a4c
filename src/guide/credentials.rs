//! Credentials that expire: an OAuth token, and requests that are signed.
//!
//! What evenkeel does with them (one fetch for all, refresh, one more try after a rejection, failing sources):
//! [`credentials`](crate::credentials).
//!
//! # An OAuth token
//!
//! The client-credentials grant (RFC 6749, section 4.4), as Vertex AI, Microsoft Entra ID and company gateways have it. The source
//! is a closure; it sends its own request with its own client, since a token endpoint is no target:
//!
//! ```
//! use std::time::Duration;
//! use evenkeel::{
//!     BoxError, Client,
//!     credentials::{CredentialPolicy, Credentials},
//!     fallback::{Fallback, Target},
//! };
//! # use evenkeel_testkit::{Provider, Reply, Server};
//!
//! #[derive(serde::Deserialize)]
//! struct Token {
//!     access_token: String,
//!     expires_in: Option<u64>,
//! }
//!
//! async fn fetch(http: reqwest::Client, endpoint: String, secret: String) -> Result<Credentials, BoxError> {
//!     let response = http
//!         .post(endpoint)
//!         .basic_auth("our-client-id", Some(secret))
//!         .header("content-type", "application/x-www-form-urlencoded")
//!         .body("grant_type=client_credentials&scope=models.read")
//!         .send()
//!         .await?
//!         .error_for_status()?;
//!     let token: Token = serde_json::from_slice(&response.bytes().await?)?;
//!     let credentials = Credentials::bearer(&token.access_token);
//!     // The lifetime in seconds: a clock that is wrong does no harm.
//!     Ok(match token.expires_in {
//!         Some(seconds) => credentials.expires_in(Duration::from_secs(seconds)),
//!         None => credentials,
//!     })
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
//! # let issued = Reply::raw(200, "application/json", r#"{"access_token": "the-token", "expires_in": 3600}"#);
//! # let issuer = Provider::new("issuer").always(issued);
//! # let api = Provider::new("api").requires("the-token");
//! # let (tokens, models) = (Server::start(issuer.clone()).await?, Server::start(api.clone()).await?);
//! # let (token_endpoint, base_url) = (format!("{}/oauth2/token", tokens.url()), format!("{}/v1", models.url()));
//! # let secret = "the secret".to_owned();
//! let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
//! // Once: all targets with this policy share its token.
//! let token = CredentialPolicy::new(move || fetch(http.clone(), token_endpoint.clone(), secret.clone()));
//!
//! let client = Client::builder()
//!     .primary(Target::new(&base_url).credentials(token.clone()).label("our-client-id"))
//!     .fallback(Fallback::target(Target::new(&base_url).credentials(token).model("a-smaller-model")))
//!     .build()?;
//!
//! let body = r#"{"model": "m", "messages": [{"role": "user", "content": "Where is my parcel?"}]}"#;
//! for _ in 0..3 {
//!     let request = http::Request::post(format!("{base_url}/chat/completions")).body(body.into())?;
//!     assert_eq!(client.send(request).await?.status(), 200);
//! }
//! # assert_eq!((issuer.count(), api.count()), (1, 3));
//! # Ok(()) }
//! ```
//!
//! A library that keeps tokens itself, such as `gcp_auth` or `azure_identity`, is a source as well: return what it returns, with
//! the time that is left. A file that a side-car rewrites is one: read it, and set a lifetime after which it is read again.
//!
//! # Requests that are signed
//!
//! AWS (Bedrock, SageMaker) signs the method, the URI, the headers and the bytes of each request. A signer gets the request as it
//! is sent, after all edits, and a retry is signed anew.
//!
//! This is the algorithm of AWS Signature Version 4 for requests without a query, to show the shape; the last lines check it
//! against an example that AWS has published. In a program call `aws_sigv4::http_request::sign` at that place (the crate
//! `aws-sigv4` of the AWS SDK needs Rust 1.94), with the keys of `aws-config`:
//!
//! ```
//! use evenkeel::{
//!     BoxError, Client,
//!     credentials::{Credentials, SigningRequest},
//!     fallback::Target,
//! };
//! use hmac::{Hmac, KeyInit, Mac};
//! use http::HeaderName;
//! use sha2::{Digest, Sha256};
//! # use evenkeel_testkit::Provider;
//!
//! struct Keys { id: &'static str, secret: &'static str, region: &'static str, service: &'static str }
//!
//! fn hex(bytes: &[u8]) -> String {
//!     bytes.iter().map(|byte| format!("{byte:02x}")).collect()
//! }
//!
//! fn hmac(key: &[u8], text: &str) -> Vec<u8> {
//!     let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is one");
//!     mac.update(text.as_bytes());
//!     mac.finalize().into_bytes().to_vec()
//! }
//!
//! /// The value of `authorization`; `time` is `YYYYMMDD'T'HHMMSS'Z'`.
//! fn authorization(keys: &Keys, method: &str, uri: &http::Uri, body: &[u8], time: &str) -> Option<String> {
//!     let Keys { id, secret, region, service } = keys;
//!     let (host, path) = (uri.authority()?, uri.path());
//!     let request = format!(
//!         "{method}\n{path}\n\nhost:{host}\nx-amz-date:{time}\n\nhost;x-amz-date\n{}",
//!         hex(&Sha256::digest(body)),
//!     );
//!     let day = time.get(..8)?;
//!     let scope = format!("{day}/{region}/{service}/aws4_request");
//!     let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(request)));
//!     let parts = [day, *region, *service, "aws4_request", &*text];
//!     let signature = parts.iter().fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part));
//!     Some(format!(
//!         "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders=host;x-amz-date, Signature={}",
//!         hex(&signature),
//!     ))
//! }
//!
//! async fn sign(request: SigningRequest) -> Result<Credentials, BoxError> {
//!     let keys = Keys { id: "AKIDEXAMPLE", secret: "the secret", region: "eu-west-1", service: "bedrock" };
//!     let body = request.body().ok_or("a streamed body cannot be signed")?;
//!     let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
//!     let method = request.method().as_str();
//!     let authorization = authorization(&keys, method, request.uri(), body, &time).ok_or("no host")?;
//!     Ok(Credentials::new()
//!         .header(http::header::AUTHORIZATION, &authorization)
//!         .header(HeaderName::from_static("x-amz-date"), &time))
//! }
//!
//! # fn main() -> Result<(), BoxError> {
//! # let transport = Provider::new("bedrock");
//! let target = Target::new("https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1").signer(sign);
//! let client = Client::builder().primary(target).build_with(transport)?;
//! # let _ = client;
//!
//! // "get-vanilla" of the test suite of AWS.
//! let keys = Keys {
//!     id: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", region: "us-east-1", service: "service",
//! };
//! let uri = "https://example.amazonaws.com/".parse()?;
//! let signed = authorization(&keys, "GET", &uri, b"", "20150830T123600Z").ok_or("no host")?;
//! assert!(signed.ends_with("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"));
//! # Ok(()) }
//! ```
//!
//! # Pitfalls
//!
//! * **A source of its own for each call** has a token and a route of its own each time. Create a
//!   [`CredentialPolicy`](crate::credentials::CredentialPolicy) once, also for the fallbacks of a single call.
//! * **Behind evenkeel.** Do not send the token request through the client that needs the token: it would wait for itself, until
//!   the time limit of the fetch.
//! * **Time limits.** A fetch is ended after 10 s; a time limit of the HTTP client below that gives a better error.
//! * **Streamed uploads** are sent once, without another try after a rejection, and a signer does not see their bytes: AWS takes
//!   `UNSIGNED-PAYLOAD` for them, where it does.
