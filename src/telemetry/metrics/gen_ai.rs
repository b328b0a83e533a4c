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
    models: LabelValues,
    /// The value of a label that is left out.
    absent: Arc<str>,
    /// The types of tokens.
    input: Arc<str>,
    output: Arc<str>,
}

/// The maximum number of different providers.
const MAX_PROVIDERS: usize = 64;

// === impl GenAi ===

impl GenAi {
    /// The maximum number of different models.
    pub(super) const MAX_MODELS: usize = 64;

    pub(super) fn new(recorder: &SharedRecorder) -> Self {
        let [absent, input, output] = ["", "input", "output"].map(Into::into);
        Self {
            duration: Series::new(&catalog::GEN_AI_DURATION, recorder),
            first_chunk: Series::new(&catalog::GEN_AI_FIRST_CHUNK, recorder),
            tokens: Series::new(&catalog::GEN_AI_TOKENS, recorder),
            providers: LabelValues::new(MAX_PROVIDERS),
            models: LabelValues::new(Self::MAX_MODELS),
            absent,
            input,
            output,
        }
    }

    pub(super) fn call_closed(&self, report: &CallReport) {
        let by_provider =
            matches!(report.source, AnswerSource::FirstTarget | AnswerSource::Fallback);
        let Some(operation) = report.operation.filter(|_| by_provider) else { return };
        let answered = report.outcome.is_success();
        let models = [report.request_model.as_deref(), report.answer.model.as_deref()];
        let [request_model, response_model] = models.map(|model| self.model(model, answered));
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

    /// The value for a model. Only one that has answered is used: callers cannot fill the label with names of their own.
    fn model(&self, model: Option<&str>, answered: bool) -> Arc<str> {
        match model {
            Some(model) if answered => self.models.of(model),
            Some(model) => self.models.known(model),
            None => self.absent.clone(),
        }
    }
}
