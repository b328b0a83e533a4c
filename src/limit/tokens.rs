//! What a call will cost, before its answer tells what it did.

use crate::{
    Request,
    classify::Outcome,
    dialect::{Ask, Tokens},
};

/// What is counted of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Each call is one.
    Requests,
    /// Of request and answer together.
    Tokens,
    /// Of the request alone.
    Input,
    /// Of the answer alone.
    Output,
}

/// What a call costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) requests: u64,
    pub(super) input: u64,
    pub(super) output: u64,
}

/// What the answers of a route cost so far, on average.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usual(Option<f64>);

// === impl Kind ===

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Requests, Self::Tokens, Self::Input, Self::Output];
}

// === impl Cost ===

impl Cost {
    /// How many bytes of text make a token, roughly, in English; other languages have fewer.
    const BYTES: u64 = 4;

    /// The estimate for a request: its bytes, and the most that its answer may have. Where it does not say, `usual`.
    pub(super) fn estimate(request: &Request, ask: &Ask, usual: Usual) -> Self {
        // A request to a path of no dialect may cost anything or nothing.
        let Some(_) = ask.dialect() else { return Self { requests: 1, input: 0, output: 0 } };
        let input = (request.body().len() as u64).div_ceil(Self::BYTES);
        let output = ask.max_tokens().unwrap_or_else(|| usual.output());
        // More than a model can say is a mistake of the caller's, which the provider answers.
        Self { requests: 1, input, output: output.min(1 << 24) }
    }

    /// How much of a kind.
    pub(super) fn of(self, kind: Kind) -> u64 {
        match kind {
            Kind::Requests => self.requests,
            Kind::Tokens => self.input.saturating_add(self.output),
            Kind::Input => self.input,
            Kind::Output => self.output,
        }
    }

    /// What an answer has cost: one request, and those tokens.
    pub(super) fn known(tokens: Tokens) -> Self {
        Self { requests: 1, input: tokens.input, output: tokens.output }
    }

    /// What of it is spent by an attempt that came to that, as far as is known then.
    pub(super) fn spent_by(self, outcome: Outcome) -> Self {
        match outcome {
            // Nothing was sent.
            Outcome::Unreachable | Outcome::Refused { .. } => Self::default(),
            // It was answered before the model ran.
            Outcome::Unavailable { .. }
            | Outcome::RateLimited { .. }
            | Outcome::QuotaExhausted { .. }
            | Outcome::Rejected { .. }
            | Outcome::TooLarge => Self { requests: self.requests, input: 0, output: 0 },
            _ => self,
        }
    }
}

// === impl Usual ===

impl Usual {
    /// What an answer is taken to cost before any has told: a page of text.
    const FIRST: f64 = 500.0;
    /// How much the last answer weighs.
    const WEIGHT: f64 = 0.1;

    fn output(self) -> u64 {
        self.0.unwrap_or(Self::FIRST).ceil() as u64
    }

    pub(super) fn learn(&mut self, tokens: Tokens) {
        let cost = tokens.output as f64;
        self.0 = Some(self.0.map_or(cost, |usual| usual + (cost - usual) * Self::WEIGHT));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &'static str) -> (Request, Ask) {
        let request = http::Request::post("http://p/v1/chat/completions").body(body.into());
        let request = request.unwrap();
        let ask = Ask::read(&request);
        (request, ask)
    }

    #[test]
    fn the_most_that_an_answer_may_have_is_reserved() {
        let (request, ask) = request(r#"{"model":"m","max_tokens":100,"messages":[]}"#);
        let cost = Cost::estimate(&request, &ask, Usual::default());
        assert_eq!(cost, Cost { requests: 1, input: 11, output: 100 });
        assert_eq!(cost.of(Kind::Tokens), 111);
    }

    #[test]
    fn without_it_what_answers_usually_cost() {
        let (request, ask) = request(r#"{"model":"m","messages":[]}"#);
        let mut usual = Usual::default();
        assert_eq!(Cost::estimate(&request, &ask, usual).output, 500);
        let tokens = |output| Tokens { input: 0, output };
        usual.learn(tokens(80));
        assert_eq!(Cost::estimate(&request, &ask, usual).output, 80);
        usual.learn(tokens(180));
        assert_eq!(Cost::estimate(&request, &ask, usual).output, 90);
    }

    #[test]
    fn a_request_that_asks_no_model_costs_one_request() {
        let request = http::Request::get("http://p/v1/models").body("".into()).unwrap();
        let cost = Cost::estimate(&request, &Ask::read(&request), Usual::default());
        assert_eq!(cost, Cost { requests: 1, input: 0, output: 0 });
    }
}
