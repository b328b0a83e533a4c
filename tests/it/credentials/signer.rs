//! Requests that are signed: over what is sent, anew for each attempt.

use std::hash::{DefaultHasher, Hash, Hasher};

use evenkeel::{
    credentials::SigningRequest,
    fallback::{Compatibility, Edit},
};
use http::HeaderName;

use super::*;

const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");

/// A signature of the method, the URI and the body, with its number.
fn signature(number: usize, method: &http::Method, uri: &http::Uri, body: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    (method.as_str(), uri.to_string(), body).hash(&mut hasher);
    format!("{number}:{:x}", hasher.finish())
}

/// A signer, and the requests that it has signed.
#[derive(Clone, Default)]
struct Signer(Arc<Mutex<Vec<SigningRequest>>>);

impl Signer {
    fn policy(&self) -> CredentialPolicy {
        let signed = self.0.clone();
        CredentialPolicy::signer(move |request: SigningRequest| {
            let signed = signed.clone();
            async move {
                let body = request.body().expect("it is known").clone();
                let (method, uri) = (request.method().clone(), request.uri().clone());
                let number = {
                    let mut signed = signed.lock().unwrap();
                    signed.push(request);
                    signed.len()
                };
                sleep(ms(5)).await;
                let signature = signature(number, &method, &uri, &body);
                Ok::<_, BoxError>(Credentials::new().header(SIGNATURE, &signature))
            }
        })
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// A provider that checks each signature, and the numbers of those that it has seen.
fn checking(provider: &Provider) -> (impl Upstream + use<>, Arc<Mutex<Vec<usize>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (provider, numbers) = (provider.clone(), seen.clone());
    let service = service_fn(move |request: Request| {
        let sent = request.headers()[&SIGNATURE].to_str().unwrap().to_owned();
        let number = sent.split(':').next().unwrap().parse().unwrap();
        assert_eq!(sent, signature(number, request.method(), request.uri(), request.body()));
        numbers.lock().unwrap().push(number);
        provider.clone().oneshot(request)
    });
    (service, seen)
}

#[tokio::test(start_paused = true)]
async fn a_signature_is_over_what_is_sent_and_new_for_each_attempt() {
    let (signer, provider) = (Signer::default(), provider());
    let provider = provider.replies([Reply::status(503), Reply::reset()]);
    let (upstream, seen) = checking(&provider);
    let target = target("primary", &signer.policy())
        .model("another-model")
        .compatibility(Compatibility::Mistral)
        .bearer("a fixed key");
    let fallback = Fallback::target(target).edit(Edit::new().max_tokens(20));
    let policy = FallbackPolicy::new().first(fallback);
    let client = Client::builder().fallback_policy(policy).build_with(upstream).unwrap();
    let mut request = chat(false);
    let long = String::from_utf8(request.body().to_vec()).unwrap();
    *request.body_mut() = long.replacen('{', r#"{"max_tokens":900,"seed":7,"#, 1).into();
    call(&client, request).await.unwrap().is_whole();
    assert_eq!(*seen.lock().unwrap(), [1, 2, 3]);
    assert_eq!((signer.count(), provider.count()), (3, 3));
    let signed = signer.0.lock().unwrap()[0].clone();
    let body = String::from_utf8(signed.body().unwrap().to_vec()).unwrap();
    assert!(body.contains("another-model") && body.contains(r#""max_tokens":20"#), "{body}");
    assert!(!body.contains(r#""seed""#), "{body}");
    assert_eq!(signed.headers()[AUTHORIZATION], "Bearer a fixed key");
    assert!(!signed.is_after_rejection());
}

#[tokio::test(start_paused = true)]
async fn the_signature_of_the_caller_is_removed_with_all_that_belongs_to_it() {
    let (signer, provider) = (Signer::default(), provider());
    let target = target("primary", &signer.policy());
    let client = Client::builder().primary(target).build_with(Hosts::new([provider])).unwrap();
    let mut request = chat(false);
    let own = [
        ("authorization", "AWS4-HMAC-SHA256 Credential=own/20260101/r/s/aws4_request, Signature=1"),
        ("x-amz-date", "20260101T000000Z"),
        ("x-amz-security-token", "own"),
        ("x-amz-content-sha256", "own"),
    ];
    for (name, value) in own {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    call(&client, request).await.unwrap().is_whole();
    let signed = signer.0.lock().unwrap()[0].clone();
    assert!(own.iter().all(|(name, _)| !signed.headers().contains_key(*name)), "{signed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_streamed_body_is_not_known_to_the_signer_and_is_sent_once() {
    let (bodies, provider) = (Arc::new(Mutex::new(Vec::new())), provider());
    let seen = bodies.clone();
    let policy = CredentialPolicy::signer(move |request: SigningRequest| {
        seen.lock().unwrap().push(request.body().cloned());
        async { Ok::<_, BoxError>(Credentials::new().header(SIGNATURE, "s")) }
    });
    let provider = provider.always(Reply::status(401));
    let client = Client::builder().primary(target("primary", &policy));
    let client = client.build_with(Hosts::new([provider.clone()])).unwrap();
    let mut request =
        http::Request::post("http://primary/v1/files").body(Default::default()).unwrap();
    request.extensions_mut().insert(evenkeel::context::NonReplayable);
    assert_eq!(call(&client, request).await.unwrap().status.as_u16(), 401);
    assert_eq!((bodies.lock().unwrap().as_slice(), provider.count()), ([None].as_slice(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_request_is_signed_once_more_and_then_not_for_a_while() {
    let (signer, provider) = (Signer::default(), provider());
    let (upstream, _) = checking(&provider);
    let target = target("primary", &signer.policy());
    let client = Client::builder().primary(target).build_with(upstream).unwrap();
    let provider = provider.replies([Reply::status(401)]);
    call(&client, chat(false)).await.unwrap().is_whole();
    assert_eq!((signer.count(), provider.count()), (2, 2));
    assert!(signer.0.lock().unwrap()[1].is_after_rejection());
    provider.set(Reply::status(401));
    for _ in 0..10 {
        assert_eq!(call(&client, chat(false)).await.unwrap().status.as_u16(), 401);
    }
    assert_eq!((signer.count(), provider.count()), (12, 12), "once in 10 s");
    sleep(secs(10)).await;
    assert_eq!(call(&client, chat(false)).await.unwrap().status.as_u16(), 401);
    assert_eq!((signer.count(), provider.count()), (14, 14));
}

#[tokio::test(start_paused = true)]
async fn a_signer_that_fails_hangs_or_panics_moves_the_call_down() {
    for mood in [Mood::Fails, Mood::Hangs, Mood::Panics, Mood::PanicsAtOnce, Mood::IsInvalid] {
        let (issuer, log) = (Issuer::new(mood), EventLog::default());
        let signing = issuer.clone();
        let policy = CredentialPolicy::signer(move |_: SigningRequest| signing.clone().issue());
        let (first, second) = (provider(), Provider::new("secondary"));
        let builder = Client::builder().primary(target("primary", &policy));
        let client = log.attach_to(builder.fallback(secondary()));
        let client = client.build_with(Hosts::new([first.clone(), second.clone()])).unwrap();
        for _ in 0..20 {
            let asked = Instant::now();
            call(&client, chat(false)).await.unwrap().is_whole();
            assert!(asked.elapsed() <= secs(10), "{mood:?}");
        }
        assert_eq!((first.count(), second.count()), (0, 20), "{mood:?}");
        assert_eq!(log.count("credentials_failed"), 20, "{mood:?}");
        assert_no_failure(&client);
    }
}
