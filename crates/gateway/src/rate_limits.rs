//! The table `[traffic]`: concurrency, requests and tokens a minute of a route, and hedges.

use evenkeel::{
    Profile,
    hedge::HedgePolicy,
    limit::{AdaptivePolicy, Concurrency, LimitPolicy},
};
use serde::Deserialize;
use toml::Spanned;

use super::{config_location::ConfigSource, keys::filled};

/// The table `[traffic]`: the limits of every route of a key; what is not set is unlimited.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrafficTable {
    concurrency: Option<Spanned<u32>>,
    adaptive: Option<bool>,
    requests: Option<Spanned<u32>>,
    tokens: Option<Spanned<u32>>,
    hedge: Option<Spanned<f64>>,
    #[serde(default)]
    model: Vec<ModelTable>,
}

/// A `[[traffic.model]]`: the limits of one model, in place of those of `[traffic]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelTable {
    name: Spanned<String>,
    concurrency: Option<Spanned<u32>>,
    adaptive: Option<bool>,
    requests: Option<Spanned<u32>>,
    tokens: Option<Spanned<u32>>,
}

/// The policies of `[traffic]`, validated.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrafficLimits {
    limit: LimitPolicy,
    hedge: Option<HedgePolicy>,
}

/// The keys that `[traffic]` and `[[traffic.model]]` have in common.
struct LimitKeys<'a> {
    concurrency: Option<&'a Spanned<u32>>,
    adaptive: Option<bool>,
    requests: Option<&'a Spanned<u32>>,
    tokens: Option<&'a Spanned<u32>>,
}

// === impl TrafficLimits ===

impl TrafficLimits {
    pub(crate) fn validate(source: ConfigSource<'_>, table: &TrafficTable) -> Result<Self, String> {
        let mut limit = table.keys().policy(source)?;
        for model in &table.model {
            filled(source, "traffic.model.name", &model.name)?;
            limit = limit.model(model.name.get_ref(), model.keys().policy(source)?);
        }
        let hedge = table.hedge.as_ref().map(|share| hedge(source, share)).transpose()?;
        Ok(Self { limit, hedge })
    }

    /// The profile with these limits and hedges; without those that are not set.
    pub(crate) fn apply(&self, profile: Profile) -> Profile {
        profile.limit(self.limit.clone()).hedge(self.hedge.clone())
    }
}

// === impl TrafficTable, ModelTable ===

impl TrafficTable {
    fn keys(&self) -> LimitKeys<'_> {
        LimitKeys {
            concurrency: self.concurrency.as_ref(),
            adaptive: self.adaptive,
            requests: self.requests.as_ref(),
            tokens: self.tokens.as_ref(),
        }
    }
}

impl ModelTable {
    fn keys(&self) -> LimitKeys<'_> {
        LimitKeys {
            concurrency: self.concurrency.as_ref(),
            adaptive: self.adaptive,
            requests: self.requests.as_ref(),
            tokens: self.tokens.as_ref(),
        }
    }
}

// === impl LimitKeys ===

impl LimitKeys<'_> {
    fn policy(&self, source: ConfigSource<'_>) -> Result<LimitPolicy, String> {
        let number = |key: &str, value: Option<&Spanned<u32>>| {
            value.map(|value| source.at_least(&format!("traffic.{key}"), value, 1)).transpose()
        };
        let concurrency = match (number("concurrency", self.concurrency)?, self.adaptive) {
            (Some(max), Some(true)) => {
                Concurrency::Adaptive(AdaptivePolicy::default().max(max).initial(max.min(8)))
            }
            (None, Some(true)) => Concurrency::Adaptive(AdaptivePolicy::default()),
            (Some(max), _) => Concurrency::Fixed(max),
            (None, _) => Concurrency::Unlimited,
        };
        Ok(LimitPolicy::default()
            .concurrency(concurrency)
            .requests(number("requests", self.requests)?)
            .tokens(number("tokens", self.tokens)?))
    }
}

fn hedge(source: ConfigSource<'_>, share: &Spanned<f64>) -> Result<HedgePolicy, String> {
    let value = *share.get_ref();
    if value > 0.0 && value <= 1.0 {
        return Ok(HedgePolicy::default().budget_ratio(value));
    }
    let what = format!("is {value}; allowed is a share of the calls, above 0 and up to 1");
    Err(source.error_at(&share.span(), "traffic.hedge", &what))
}
