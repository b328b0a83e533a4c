//! The mean usage of the calls of a route, and the estimated cost of the next one.

use super::{cost::Cost, request_size::RequestSize};
use crate::dialect::{RequestInfo, Usage};

/// The usage that the answers of a route have reported, as moving averages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MeanUsage {
    /// The tokens of an answer.
    output: Option<f64>,
    /// The counted tokens of a request per token of its size, by size class: prompts of one kind have about the same size, and of
    /// a cached prompt nearly no token counts.
    counted: [Option<f64>; RequestSize::CLASSES],
}

// === impl MeanUsage ===

impl MeanUsage {
    /// The estimated tokens of an answer before any answer has reported its usage: a page of text.
    const INITIAL_OUTPUT: f64 = 500.0;
    /// The weight of the last answer.
    const OUTPUT_WEIGHT: f64 = 0.1;
    /// The weights of the last answer for the counted part of a request. Too low an estimate is settled when the answer reports
    /// its usage; too high an estimate holds other calls back until then.
    const LOWER_INPUT_WEIGHT: f64 = 0.5;
    const HIGHER_INPUT_WEIGHT: f64 = 0.2;
    /// The most counted tokens per estimated token: no language and no file exceeds it.
    const MAX_COUNTED: f64 = 8.0;
    /// The most that is reserved for an answer: this many average answers, and at least [`MIN_OUTPUT_CAP`](Self::MIN_OUTPUT_CAP).
    const OUTPUT_CAP: u64 = 8;
    const MIN_OUTPUT_CAP: u64 = 4096;

    /// The estimated cost of a request of that size: its average counted tokens, and the most tokens that its answer may have,
    /// bounded by the answers of the route. Without `max_tokens`, an average answer.
    pub(super) fn estimate(&self, size: RequestSize, info: &RequestInfo) -> Cost {
        // A request to a path of no dialect may have any cost.
        if info.dialect().is_none() {
            return Cost::REQUEST;
        }
        let output = info.max_tokens().unwrap_or_else(|| self.output());
        let cap = self.output().saturating_mul(Self::OUTPUT_CAP).max(Self::MIN_OUTPUT_CAP);
        Cost { requests: 1, input: self.input(size), output: output.min(cap) }
    }

    /// The cost of a call that was estimated at `estimate` and whose answer reports no usage: at most an average answer.
    pub(super) fn cost_without_usage(&self, estimate: Cost) -> Cost {
        Cost { output: estimate.output.min(self.output()), ..estimate }
    }

    /// Whether an answer has reported the cost of a request of that size.
    pub(super) fn knows(&self, size: RequestSize) -> bool {
        self.counted[size.class()].is_some()
    }

    /// Adds the usage that the answer to a request of that size reports.
    pub(super) fn add(&mut self, size: RequestSize, tokens: Usage) {
        let output = tokens.output as f64;
        self.output =
            Some(self.output.map_or(output, |mean| mean + (output - mean) * Self::OUTPUT_WEIGHT));
        if size.tokens() == 0 || tokens.input == 0 {
            return;
        }
        let counted = Cost::from_usage(tokens).input as f64 / size.tokens() as f64;
        let counted = counted.min(Self::MAX_COUNTED);
        let mean = &mut self.counted[size.class()];
        *mean = Some(mean.map_or(counted, |mean| {
            let is_lower = counted < mean;
            let weight =
                if is_lower { Self::LOWER_INPUT_WEIGHT } else { Self::HIGHER_INPUT_WEIGHT };
            mean + (counted - mean) * weight
        }));
    }

    fn output(&self) -> u64 {
        self.output.unwrap_or(Self::INITIAL_OUTPUT).ceil() as u64
    }

    fn input(&self, size: RequestSize) -> u64 {
        let counted = self.counted[size.class()].unwrap_or(1.0);
        let tokens = (size.tokens() as f64 * counted).round() as u64;
        // A request that runs a model costs at least one token.
        tokens.max(size.tokens().min(1))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::cost::CostDimension, *};
    use crate::Request;

    struct Asked {
        request: Request,
        info: RequestInfo,
    }

    fn asked(request: Request) -> Asked {
        let info = RequestInfo::read(&request);
        Asked { request, info }
    }

    fn chat(body: &'static str) -> Asked {
        let request = http::Request::post("http://p/v1/chat/completions").body(body.into());
        asked(request.unwrap())
    }

    fn estimate(Asked { request, info }: &Asked, mean: &MeanUsage) -> Cost {
        mean.estimate(RequestSize::measure(request, info), info)
    }

    #[test]
    fn the_most_that_an_answer_may_have_is_reserved() {
        let request = chat(r#"{"model":"m","max_tokens":100,"messages":[]}"#);
        let cost = estimate(&request, &MeanUsage::default());
        assert_eq!(cost, Cost { requests: 1, input: 11, output: 100 });
        assert_eq!(cost.of(CostDimension::Tokens), 111);
    }

    #[test]
    fn a_million_tokens_asked_for_reserve_no_more_than_answers_come_near() {
        let request = chat(r#"{"model":"m","max_tokens":1000000,"messages":[]}"#);
        let mut mean = MeanUsage::default();
        assert_eq!(estimate(&request, &mean).output, 4096);
        assert_eq!(mean.cost_without_usage(estimate(&request, &mean)).output, 500);
        mean.add(RequestSize::new(10), Usage::new(0, 2000));
        assert_eq!(estimate(&request, &mean).output, 16_000);
    }

    #[test]
    fn without_max_tokens_an_average_answer_is_reserved() {
        let request = chat(r#"{"model":"m","messages":[]}"#);
        let mut mean = MeanUsage::default();
        assert_eq!(estimate(&request, &mean).output, 500);
        mean.add(RequestSize::new(10), Usage::new(0, 80));
        assert_eq!(estimate(&request, &mean).output, 80);
        mean.add(RequestSize::new(10), Usage::new(0, 180));
        assert_eq!(estimate(&request, &mean).output, 90);
    }

    #[test]
    fn a_prompt_that_is_read_from_a_cache_is_estimated_by_what_counts_of_it() {
        let (long, short) = (RequestSize::new(100_000), RequestSize::new(800));
        let mut mean = MeanUsage::default();
        assert_eq!(mean.input(long), 100_000);
        // The first call stores the prompt in the cache.
        mean.add(long, Usage::new(110_000, 50));
        assert_eq!(mean.input(long), 110_000);
        for _ in 0..8 {
            mean.add(long, Usage::new(110_050, 50).with_cached(110_000));
        }
        assert!(mean.input(long) < 1000, "{}", mean.input(long));
        assert_eq!(mean.input(short), 800, "of other sizes nothing was learnt");
        mean.add(long, Usage::new(110_000, 50));
        assert!(mean.input(long) > 20_000, "{}", mean.input(long));
    }

    #[test]
    fn a_request_that_asks_no_model_costs_one_request() {
        let request = http::Request::get("http://p/v1/models").body("".into()).unwrap();
        assert_eq!(estimate(&asked(request), &MeanUsage::default()), Cost::REQUEST);
    }
}
