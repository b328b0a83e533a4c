//! The `evenkeel-*` headers of a request: settings for that request alone.

use evenkeel::{
    context::{AffinityKey, Priority},
    stream::CommitPolicy,
};
use http::{HeaderMap, StatusCode};

use super::errors::GatewayError;

/// Settings for one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestOverrides {
    /// Other models of the same upstream, in the order of the fallbacks.
    pub(crate) fallbacks: Vec<String>,
    pub(crate) commit: Option<CommitPolicy>,
    pub(crate) priority: Option<Priority>,
    pub(crate) sticky: Option<AffinityKey>,
}

const MAX_MODELS: usize = evenkeel::fallback::Fallbacks::MAX_FALLBACKS;
const MAX_NAME: usize = 128;

// === impl RequestOverrides ===

impl RequestOverrides {
    pub(crate) fn parse(headers: &HeaderMap) -> Result<Self, GatewayError> {
        Ok(Self {
            fallbacks: fallbacks(headers)?,
            commit: commit(headers)?,
            priority: priority(headers)?,
            sticky: sticky(headers)?,
        })
    }
}

fn fallbacks(headers: &HeaderMap) -> Result<Vec<String>, GatewayError> {
    let name = "evenkeel-fallbacks";
    let wrong = || {
        bad(
            name,
            format!(
                "1 to {MAX_MODELS} names of models with commas between them, each of at most {MAX_NAME} letters, digits and ._:/@+-"
            ),
        )
    };
    let mut models = Vec::new();
    for value in headers.get_all(name) {
        for model in value.to_str().map_err(|_| wrong())?.split(',') {
            let model = model.trim();
            let plain = model.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:/@+-".contains(&b));
            if model.is_empty() || model.len() > MAX_NAME || !plain || models.len() == MAX_MODELS {
                return Err(wrong());
            }
            // In the path of a Gemini request it would lead to another path.
            if model.split('/').any(|part| part == ".." || part == ".") {
                return Err(wrong());
            }
            models.push(model.to_owned());
        }
    }
    Ok(models)
}

fn commit(headers: &HeaderMap) -> Result<Option<CommitPolicy>, GatewayError> {
    let name = "evenkeel-commit";
    match single(headers, name)? {
        None => Ok(None),
        Some("complete") => Ok(Some(CommitPolicy::Complete)),
        Some("first-content") => Ok(Some(CommitPolicy::FirstContent)),
        Some(_) => Err(bad(name, "complete or first-content".into())),
    }
}

fn priority(headers: &HeaderMap) -> Result<Option<Priority>, GatewayError> {
    let name = "evenkeel-priority";
    match single(headers, name)? {
        None => Ok(None),
        Some("interactive") => Ok(Some(Priority::Interactive)),
        Some("batch") => Ok(Some(Priority::Batch)),
        Some(_) => Err(bad(name, "interactive or batch".into())),
    }
}

fn sticky(headers: &HeaderMap) -> Result<Option<AffinityKey>, GatewayError> {
    let name = "evenkeel-sticky";
    match single(headers, name)? {
        None => Ok(None),
        Some(key) if (1..=256).contains(&key.len()) => Ok(Some(AffinityKey::new(key))),
        Some(_) => Err(bad(name, "1 to 256 visible characters".into())),
    }
}

/// The value of a header that may be there once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, GatewayError> {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    match (first.map(|value| value.to_str()), second) {
        (None, _) => Ok(None),
        (Some(Ok(text)), None) => Ok(Some(text.trim())),
        _ => Err(bad(name, "one value, once".into())),
    }
}

fn bad(header: &str, allowed: String) -> GatewayError {
    let message = format!("the header {header} is wrong; allowed is {allowed}");
    GatewayError::new(StatusCode::BAD_REQUEST, "bad_header", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Result<RequestOverrides, GatewayError> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        RequestOverrides::parse(&headers)
    }

    #[test]
    fn without_a_header_nothing_is_overridden() {
        assert_eq!(read(&[]).unwrap(), RequestOverrides::default());
    }

    #[test]
    fn models_come_in_their_order_over_one_header_or_several() {
        let overrides = read(&[
            ("evenkeel-fallbacks", "model-b, org/model-c:free"),
            ("evenkeel-fallbacks", "d@1"),
        ]);
        assert_eq!(overrides.unwrap().fallbacks, ["model-b", "org/model-c:free", "d@1"]);
        let eight = ["m"; 8].join(",");
        assert_eq!(read(&[("evenkeel-fallbacks", &eight)]).unwrap().fallbacks.len(), 8);
    }

    #[test]
    fn what_is_no_list_of_models_is_refused_by_name() {
        let (nine, long) = (["m"; 9].join(","), "m".repeat(129));
        for wrong in
            ["", ",", "a,", "a,,b", "a b", "../a", "a/../b", "ä", "a\"", "a?b", &nine, &long]
        {
            let error = read(&[("evenkeel-fallbacks", wrong)]).unwrap_err();
            assert_eq!(error.status(), StatusCode::BAD_REQUEST, "{wrong}");
            assert!(error.message().contains("evenkeel-fallbacks is wrong; allowed is 1 to 8"));
        }
    }

    #[test]
    fn a_commit_point_is_one_of_two() {
        let commit = |value| read(&[("evenkeel-commit", value)]).map(|overrides| overrides.commit);
        assert_eq!(commit("complete").unwrap(), Some(CommitPolicy::Complete));
        assert_eq!(commit(" first-content ").unwrap(), Some(CommitPolicy::FirstContent));
        for wrong in ["", "Complete", "whole", "complete,complete"] {
            assert!(commit(wrong).unwrap_err().message().contains("complete or first-content"));
        }
        let twice = [("evenkeel-commit", "complete"), ("evenkeel-commit", "complete")];
        assert!(read(&twice).unwrap_err().message().contains("once"));
    }

    #[test]
    fn a_priority_is_one_of_two_and_a_key_is_no_empty_one() {
        let priority =
            |value| read(&[("evenkeel-priority", value)]).map(|overrides| overrides.priority);
        assert_eq!(priority("batch").unwrap(), Some(Priority::Batch));
        assert_eq!(priority("interactive").unwrap(), Some(Priority::Interactive));
        assert!(priority("high").unwrap_err().message().contains("interactive or batch"));
        let sticky = |value| read(&[("evenkeel-sticky", value)]).map(|overrides| overrides.sticky);
        assert_eq!(sticky("talk-7").unwrap(), Some(AffinityKey::new("talk-7")));
        for wrong in ["", &"k".repeat(257)] {
            assert!(sticky(wrong).unwrap_err().message().contains("1 to 256"));
        }
    }
}
