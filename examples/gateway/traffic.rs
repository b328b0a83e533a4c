//! How much is asked of a route, and what is asked twice or not at all: limits of the key, second copies, stored answers.

use evenkeel::{
    Profile,
    cache::CachePolicy,
    hedge::HedgePolicy,
    limit::{AdaptivePolicy, Concurrency, LimitPolicy},
};
use serde::Deserialize;
use toml::Spanned;

use super::{keys::filled, place::Source, skills::LONG};

/// The table `[traffic]`: what a key may take, of every route; what is not set is unlimited.
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

/// A `[[traffic.model]]`: the same for one model, in place of that for all.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelTable {
    name: Spanned<String>,
    concurrency: Option<Spanned<u32>>,
    adaptive: Option<bool>,
    requests: Option<Spanned<u32>>,
    tokens: Option<Spanned<u32>>,
}

/// The table `[cache]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CacheTable {
    fresh: Option<Spanned<f64>>,
    coalesce: Option<bool>,
    largest: Option<Spanned<u64>>,
}

/// What was said of traffic, checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic {
    limit: LimitPolicy,
    hedge: Option<HedgePolicy>,
}

type Set<'a> = (&'a Option<Spanned<u32>>, Option<bool>, [&'a Option<Spanned<u32>>; 2]);

// === impl Traffic ===

impl Traffic {
    pub(crate) fn read(source: Source<'_>, table: &TrafficTable) -> Result<Self, String> {
        let all = (&table.concurrency, table.adaptive, [&table.requests, &table.tokens]);
        let mut limit = limit(source, all)?;
        for model in &table.model {
            filled(source, "traffic.model.name", &model.name)?;
            let own = (&model.concurrency, model.adaptive, [&model.requests, &model.tokens]);
            limit = limit.model(model.name.get_ref(), self::limit(source, own)?);
        }
        let hedge = table.hedge.as_ref().map(|share| hedge(source, share)).transpose()?;
        Ok(Self { limit, hedge })
    }

    /// With these limits and copies; without what was not said.
    pub(crate) fn put(&self, profile: Profile) -> Profile {
        profile.limit(self.limit.clone()).hedge(self.hedge.clone())
    }
}

fn limit(
    source: Source<'_>,
    (most, adaptive, [requests, tokens]): Set<'_>,
) -> Result<LimitPolicy, String> {
    let number = |field: &str, value: &Option<Spanned<u32>>| {
        let read = |value| source.at_least(&format!("traffic.{field}"), value, 1);
        value.as_ref().map(read).transpose()
    };
    let most = number("concurrency", most)?;
    let concurrency = match (most, adaptive) {
        (Some(most), Some(true)) => {
            Concurrency::Adaptive(AdaptivePolicy::default().max(most).initial(most.min(8)))
        }
        (None, Some(true)) => Concurrency::Adaptive(AdaptivePolicy::default()),
        (Some(most), _) => Concurrency::Fixed(most),
        (None, _) => Concurrency::Unlimited,
    };
    Ok(LimitPolicy::default()
        .concurrency(concurrency)
        .requests(number("requests", requests)?)
        .tokens(number("tokens", tokens)?))
}

fn hedge(source: Source<'_>, share: &Spanned<f64>) -> Result<HedgePolicy, String> {
    let value = *share.get_ref();
    if value > 0.0 && value <= 1.0 {
        return Ok(HedgePolicy::default().share(value));
    }
    let what = format!("is {value}; allowed is a share of the calls, above 0 and up to 1");
    Err(source.wrong(&share.span(), "traffic.hedge", &what))
}

/// The cache, where the file has one.
pub(crate) fn cache(source: Source<'_>, table: &CacheTable) -> Result<CachePolicy, String> {
    let mut cache = CachePolicy::new().coalesce(table.coalesce.unwrap_or_default());
    if let Some(fresh) = &table.fresh {
        cache = cache.fresh(source.seconds("cache.fresh", fresh, LONG)?);
    }
    if let Some(largest) = &table.largest {
        let bytes = source.at_least("cache.largest", largest, 1)?;
        cache = cache.largest(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
    Ok(cache)
}
