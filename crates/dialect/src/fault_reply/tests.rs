//! Every failure is classified as what it is, in every dialect.

use http::{HeaderMap, StatusCode};

use super::FaultReply;
use crate::{
    Dialect,
    outcome::{Outcome, classify},
};

const DIALECTS: [Option<Dialect>; 6] = [
    None,
    Some(Dialect::OpenAiChat),
    Some(Dialect::OpenAiResponses),
    Some(Dialect::Anthropic),
    Some(Dialect::Gemini),
    Some(Dialect::Ollama),
];

fn outcome(fault: FaultReply, dialect: Option<Dialect>) -> Outcome {
    let body = fault.body(dialect);
    classify(fault.status(dialect), &HeaderMap::new(), body.as_bytes()).outcome()
}

#[test]
fn every_failure_is_classified_as_what_it_is_in_every_dialect() {
    for dialect in DIALECTS {
        let of = |fault| outcome(fault, dialect);
        assert_eq!(of(FaultReply::RateLimited).name(), "rate_limited", "{dialect:?}");
        assert_eq!(of(FaultReply::Quota).name(), "quota_exhausted", "{dialect:?}");
        assert_eq!(of(FaultReply::ContextLength), Outcome::TooLarge, "{dialect:?}");
    }
}

#[test]
fn a_blocked_prompt_is_blocked_where_the_api_has_a_code_for_it() {
    for dialect in [None, Some(Dialect::OpenAiChat), Some(Dialect::OpenAiResponses)] {
        assert_eq!(outcome(FaultReply::Blocked, dialect), Outcome::Blocked, "{dialect:?}");
    }
    // An answer of 200 whose content is the block.
    let gemini = Some(Dialect::Gemini);
    assert_eq!(FaultReply::Blocked.status(gemini), StatusCode::OK);
    let body = FaultReply::Blocked.body(gemini);
    let checked = Dialect::Gemini.check(crate::Expected::default(), body.as_bytes()).0;
    assert_eq!(checked.map_err(|verdict| verdict.outcome()), Ok(Outcome::Blocked));
}

#[test]
fn a_status_keeps_its_meaning_in_every_dialect() {
    for dialect in DIALECTS {
        for (status, name) in [(500, "unavailable"), (503, "unavailable"), (529, "unavailable")] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(outcome(FaultReply::Status(status), dialect).name(), name, "{dialect:?}");
        }
        for status in [401, 403, 404] {
            let status = StatusCode::from_u16(status).unwrap();
            let outcome = outcome(FaultReply::Status(status), dialect);
            assert_eq!(outcome.name(), "rejected", "{status} {dialect:?}");
        }
    }
}
