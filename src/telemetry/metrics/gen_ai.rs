//! The client metrics of the OpenTelemetry conventions for generative AI.

use std::sync::Arc;

use metrics::Histogram;

use super::{
    catalog,
    label_values::LabelValues,
    series::{Series, SharedRecorder},
};
use crate::telemetry::{AnswerSource, CallReport};

/// The metrics of the conventions, once for each call that a provider answered or failed.
pub(super) struct GenAi {
    duration: Series<Histogram>,
    first_chunk: Series<Histogram>,
    tokens: Series<Histogram>,
    providers: LabelValues,
    /// The pairs of a requested model and the model that answered.
    pairs: LabelValues,
    /// The models in the pairs.
    models: LabelValues,
    /// The value of a label that is left out.
    absent: Arc<str>,
    /// The types of tokens.
    input: Arc<str>,
    output: Arc<str>,
}

/// The maximum number of different providers.
const MAX_PROVIDERS: usize = 64;

/// The maximum number of different pairs of models.
const MAX_PAIRS: usize = 64;

// === impl GenAi ===

impl GenAi {
    pub(super) fn new(recorder: &SharedRecorder) -> Self {
        let [absent, input, output] = ["", "input", "output"].map(Into::into);
        Self {
            duration: Series::new(&catalog::GEN_AI_DURATION, recorder),
            first_chunk: Series::new(&catalog::GEN_AI_FIRST_CHUNK, recorder),
            tokens: Series::new(&catalog::GEN_AI_TOKENS, recorder),
            providers: LabelValues::new(MAX_PROVIDERS),
            pairs: LabelValues::new(MAX_PAIRS),
            models: LabelValues::new(2 * MAX_PAIRS),
            absent,
            input,
            output,
        }
    }

    pub(super) fn call_closed(&self, report: &CallReport) {
        let by_provider =
            matches!(report.source, AnswerSource::FirstTarget | AnswerSource::Fallback);
        let Some(operation) = report.operation.filter(|_| by_provider) else { return };
        let [request_model, response_model] = self.models(report);
        let operation: Arc<str> = operation.into();
        let provider = self.providers.of(&report.provider);
        let common = [operation, provider, request_model, response_model];
        let error =
            if report.is_failure() { report.outcome.name().into() } else { self.absent.clone() };
        let values = |last: &Arc<str>| -> Vec<_> { common.iter().chain([last]).cloned().collect() };
        self.duration.at(values(&error)).record(report.took);
        if let Some(first) = report.first_chunk {
            self.first_chunk.at(values(&error)).record(first);
        }
        if let Some(usage) = report.answer.usage {
            for (kind, tokens) in [(&self.input, usage.input), (&self.output, usage.output)] {
                self.tokens.at(values(kind)).record(tokens as f64);
            }
        }
    }

    /// The values for the requested model and the one that answered. Only models that have answered are used: callers cannot fill
    /// the label with names of their own.
    fn models(&self, report: &CallReport) -> [Arc<str>; 2] {
        let models = [report.request_model.as_deref(), report.answer.model.as_deref()];
        let pair = models.map(Option::unwrap_or_default).join(" ");
        let known = match report.outcome.is_success() {
            true => self.pairs.of(&pair),
            false => self.pairs.known(&pair),
        };
        let value = |model| match model {
            Some(model) if *known == *pair => self.models.of(model),
            Some(model) => self.models.known(model),
            None => self.absent.clone(),
        };
        let [requested, answered] = models;
        let answered = answered.filter(|_| *known == *pair);
        [value(requested), value(answered)]
    }
}
