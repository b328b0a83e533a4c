//! What a call will cost, before its answer tells what it did.

use crate::{
    Request,
    dialect::{RequestInfo, Tokens},
    outcome::Outcome,
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

/// What a request asks a model to read, in tokens as its bytes suggest. Zero where no model is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size(u64);

/// What the answers of a route cost so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usual {
    /// The tokens of an answer, on average.
    output: Option<f64>,
    /// What of a request's size counted, by its size: prompts of one kind have about one size, and a cached one counts
    /// nearly nothing.
    counted: [Option<f64>; Size::CLASSES],
}

// === impl Kind ===

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Requests, Self::Tokens, Self::Input, Self::Output];
}

// === impl Cost ===

impl Cost {
    /// A request that asks no model.
    pub(super) const REQUEST: Self = Self { requests: 1, input: 0, output: 0 };

    /// The most that is reserved for an answer: so many usual ones, and at least [`LEAST_CAP`](Self::LEAST_CAP).
    const USUAL_CAP: u64 = 8;
    const LEAST_CAP: u64 = 4096;

    /// The estimate for a request of that size: what usually counts of it, and the most that its answer may have, as far
    /// as answers here come near it. Where it does not say, `usual`.
    pub(super) fn estimate(size: Size, ask: &RequestInfo, usual: &Usual) -> Self {
        // A request to a path of no dialect may cost anything or nothing.
        let Some(_) = ask.dialect() else { return Self::REQUEST };
        let output = ask.max_tokens().unwrap_or_else(|| usual.output());
        let cap = usual.output().saturating_mul(Self::USUAL_CAP).max(Self::LEAST_CAP);
        Self { requests: 1, input: usual.input(size), output: output.min(cap) }
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

    /// What an answer has cost: one request, and those tokens. What was read from a cache is not counted.
    pub(super) fn known(tokens: Tokens) -> Self {
        let input = tokens.input.saturating_sub(tokens.cached);
        Self { requests: 1, input, output: tokens.output }
    }

    /// What an answer is taken to have cost that does not tell: no more than usual.
    pub(super) fn untold(self, usual: &Usual) -> Self {
        Self { output: self.output.min(usual.output()), ..self }
    }

    /// What of it is spent by an attempt that came to that, as far as is known then.
    pub(super) fn spent_by(self, outcome: Outcome) -> Self {
        match outcome {
            // Nothing was sent.
            Outcome::Unreachable | Outcome::NotSent { .. } => Self::default(),
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

// === impl Size ===

impl Size {
    /// Each class of sizes is that of the last one, four times as large.
    const CLASSES: usize = 12;
    /// How many bytes of text make a token, roughly, in English; other languages have fewer.
    const BYTES: u64 = 4;
    /// A run of base64 of that many bytes is a file and not text.
    const FILE: usize = 4096;
    /// What an image, an audio or a file costs, whatever its size.
    const MEDIA: u64 = 1500;

    /// The text of a request, and a flat number for each file in it.
    pub(super) fn of(request: &Request, ask: &RequestInfo) -> Self {
        Self(ask.dialect().map_or(0, |_| Self::tokens(request.body())))
    }

    /// Where nobody asks how much it is.
    pub(super) fn any(ask: &RequestInfo) -> Self {
        Self(ask.dialect().map_or(0, |_| 1))
    }

    fn tokens(body: &[u8]) -> u64 {
        let text = |bytes: usize| (bytes as u64).div_ceil(Self::BYTES);
        if body.len() < Self::FILE {
            return text(body.len());
        }
        let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=-_\\".contains(byte);
        let runs = body.split(|byte| !base64(byte)).map(<[u8]>::len);
        let (files, bytes) = runs
            .filter(|len| *len >= Self::FILE)
            .fold((0, 0), |(files, bytes), len| (files + 1, bytes + len));
        text(body.len() - bytes).saturating_add(files * Self::MEDIA)
    }

    fn class(self) -> usize {
        (self.0.max(1).ilog2() as usize / 2).min(Self::CLASSES - 1)
    }
}

// === impl Usual ===

impl Usual {
    /// What an answer is taken to cost before any has told: a page of text.
    const FIRST: f64 = 500.0;
    /// How much the last answer weighs.
    const WEIGHT: f64 = 0.1;
    /// The same for what counts of a request: an estimate that is too low is settled when the answer tells, one that is too
    /// high holds others back until then.
    const LOWER: f64 = 0.5;
    const HIGHER: f64 = 0.2;
    /// No language and no file has more tokens for its bytes.
    const MOST_COUNTED: f64 = 8.0;

    fn output(&self) -> u64 {
        self.output.unwrap_or(Self::FIRST).ceil() as u64
    }

    /// Whether an answer has told what requests of that size cost.
    pub(super) fn knows(&self, size: Size) -> bool {
        self.counted[size.class()].is_some()
    }

    fn input(&self, size: Size) -> u64 {
        let counted = self.counted[size.class()].unwrap_or(1.0);
        ((size.0 as f64 * counted).round() as u64).clamp(size.0.min(1), u64::MAX)
    }

    /// The answer to a request of that size has cost so much.
    pub(super) fn learn(&mut self, size: Size, tokens: Tokens) {
        let cost = tokens.output as f64;
        self.output = Some(self.output.map_or(cost, |usual| usual + (cost - usual) * Self::WEIGHT));
        if size.0 == 0 || tokens.input == 0 {
            return;
        }
        let counted = Cost::known(tokens).input as f64 / size.0 as f64;
        let counted = counted.min(Self::MOST_COUNTED);
        let usual = &mut self.counted[size.class()];
        let weight = |before: f64| if counted < before { Self::LOWER } else { Self::HIGHER };
        *usual = Some(usual.map_or(counted, |it| it + (counted - it) * weight(it)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &'static str) -> (Request, RequestInfo) {
        let request = http::Request::post("http://p/v1/chat/completions").body(body.into());
        let request = request.unwrap();
        let ask = RequestInfo::read(&request);
        (request, ask)
    }

    fn estimate((request, ask): &(Request, RequestInfo), usual: &Usual) -> Cost {
        Cost::estimate(Size::of(request, ask), ask, usual)
    }

    #[test]
    fn the_most_that_an_answer_may_have_is_reserved() {
        let request = request(r#"{"model":"m","max_tokens":100,"messages":[]}"#);
        let cost = estimate(&request, &Usual::default());
        assert_eq!(cost, Cost { requests: 1, input: 11, output: 100 });
        assert_eq!(cost.of(Kind::Tokens), 111);
    }

    #[test]
    fn an_image_of_four_megabytes_costs_a_flat_number_of_tokens() {
        let image = "iVBORw0KGgo/".repeat(4 << 20 >> 3);
        let body = format!(r#"{{"messages":[{{"url":"data:image/png;base64,{image}"}}]}}"#);
        assert!((1500..1600).contains(&Size::tokens(body.as_bytes())));
        assert_eq!(Size::tokens("plain text ".repeat(1000).as_bytes()), 2750);
    }

    #[test]
    fn a_million_tokens_asked_for_reserve_no_more_than_answers_come_near() {
        let request = request(r#"{"model":"m","max_tokens":1000000,"messages":[]}"#);
        let mut usual = Usual::default();
        assert_eq!(estimate(&request, &usual).output, 4096);
        assert_eq!(estimate(&request, &usual).untold(&usual).output, 500);
        usual.learn(Size(10), Tokens::new(0, 2000));
        assert_eq!(estimate(&request, &usual).output, 16_000);
    }

    #[test]
    fn without_it_what_answers_usually_cost() {
        let request = request(r#"{"model":"m","messages":[]}"#);
        let mut usual = Usual::default();
        assert_eq!(estimate(&request, &usual).output, 500);
        usual.learn(Size(10), Tokens::new(0, 80));
        assert_eq!(estimate(&request, &usual).output, 80);
        usual.learn(Size(10), Tokens::new(0, 180));
        assert_eq!(estimate(&request, &usual).output, 90);
    }

    #[test]
    fn a_prompt_that_is_read_from_a_cache_is_estimated_by_what_counts_of_it() {
        let (long, short) = (Size(100_000), Size(800));
        let mut usual = Usual::default();
        assert_eq!(usual.input(long), 100_000);
        // The first call stores it.
        usual.learn(long, Tokens::new(110_000, 50));
        assert_eq!(usual.input(long), 110_000);
        for _ in 0..8 {
            usual.learn(long, Tokens::new(110_050, 50).with_cached(110_000));
        }
        assert!(usual.input(long) < 1000, "{}", usual.input(long));
        assert_eq!(usual.input(short), 800, "of other sizes nothing was learnt");
        usual.learn(long, Tokens::new(110_000, 50));
        assert!(usual.input(long) > 20_000, "{}", usual.input(long));
    }

    #[test]
    fn a_request_that_asks_no_model_costs_one_request() {
        let request = http::Request::get("http://p/v1/models").body("".into()).unwrap();
        let ask = RequestInfo::read(&request);
        assert_eq!(estimate(&(request, ask), &Usual::default()), Cost::REQUEST);
    }
}
