//! The fields that providers and models have rejected.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    context::Route,
    dialect::{FieldChange, RejectedField, RejectedScope, field_json},
    sync::lock_std as lock,
};

/// The rejected fields of each provider and model. A handle: clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct RejectedFields(Arc<Mutex<HashMap<Route, Known>>>);

#[derive(Debug)]
struct Known {
    fields: Vec<Rejected>,
    until: Instant,
}

#[derive(Debug)]
struct Rejected {
    change: FieldChange,
    /// The JSON of the value that was rejected; any value if there is none.
    value: Option<Box<str>>,
}

/// The longest value that is remembered, in bytes: values that are rejected are numbers and words.
const LONGEST_VALUE: usize = 64;

// === impl RejectedFields ===

impl RejectedFields {
    /// The time for which a field is remembered.
    const LASTS: Duration = Duration::from_secs(3600);
    /// The most providers and models, and the most fields of each.
    const MOST: usize = 1024;
    const MOST_FIELDS: usize = 16;

    /// The changes that are known to be needed for a request with that body.
    pub(super) fn changes(&self, route: &Route, body: &[u8], now: Instant) -> Vec<FieldChange> {
        let all = lock(&self.0);
        if all.is_empty() {
            return Vec::new();
        }
        let known = all.get(&route.coarser()).filter(|known| now < known.until);
        let fields = known.iter().flat_map(|known| &known.fields);
        let applies = |it: &&Rejected| match &it.value {
            Some(value) => field_json(body, it.change.field()) == Some(value),
            None => true,
        };
        fields.filter(applies).map(|it| it.change.clone()).collect()
    }

    /// Remembers fields that were rejected in a request with that body, after the request succeeded without them.
    pub(super) fn learn(&self, route: &Route, fields: &[RejectedField], body: &[u8], now: Instant) {
        let mut all = lock(&self.0);
        if all.len() >= Self::MOST {
            all.retain(|_, known| now < known.until);
        }
        let route = route.coarser();
        if all.len() >= Self::MOST && !all.contains_key(&route) {
            return;
        }
        let until = now + Self::LASTS;
        let known = all.entry(route).or_insert_with(|| Known { fields: Vec::new(), until });
        known.until = until;
        for field in fields {
            let change = field.change();
            let value = match field.scope() {
                RejectedScope::Field => None,
                RejectedScope::Value => match field_json(body, field.name()) {
                    Some(value) if value.len() <= LONGEST_VALUE => Some(value.into()),
                    _ => continue,
                },
                // It depends on the other fields of the request.
                _ => continue,
            };
            let is_known = known.fields.iter().any(|it| it.change == change && it.value == value);
            if known.fields.len() < Self::MOST_FIELDS && !is_known {
                known.fields.push(Rejected { change, value });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(body: &str) -> Vec<RejectedField> {
        RejectedField::read(body.as_bytes())
    }

    #[tokio::test(start_paused = true)]
    async fn a_field_is_remembered_for_an_hour_and_for_its_provider_and_model() {
        let (memory, now) = (RejectedFields::default(), Instant::now());
        let route = Route::new("p", "m", "one key");
        let fields =
            rejected(r#"{"error":{"message":"Unknown name \"store\": Cannot find field."}}"#);
        assert_eq!(fields.len(), 1);
        let body = br#"{"store":true}"#;
        memory.learn(&route, &fields, body, now);
        let count = |route: &Route, now| memory.changes(route, body, now).len();
        assert_eq!(count(&Route::new("p", "m", "another key"), now), 1);
        assert_eq!(count(&Route::new("p", "other", "one key"), now), 0);
        assert_eq!(count(&route, now + RejectedFields::LASTS), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_remembered_with_the_value_alone() {
        let (memory, now) = (RejectedFields::default(), Instant::now());
        let route = Route::new("p", "m", "-");
        let fields = rejected(
            r#"{"error":{"message":"Unsupported value","param":"temperature","code":"unsupported_value"}}"#,
        );
        memory.learn(&route, &fields, br#"{"temperature":0.2}"#, now);
        let count = |body: &str| memory.changes(&route, body.as_bytes(), now).len();
        assert_eq!((count(r#"{"temperature":0.2}"#), count(r#"{"temperature":1}"#)), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_memory_is_bounded() {
        let (memory, now) = (RejectedFields::default(), Instant::now());
        let fields = rejected(r#"{"error":{"message":"Unknown name \"store\""}}"#);
        for n in 0..RejectedFields::MOST + 10 {
            memory.learn(&Route::new("p", &n.to_string(), "-"), &fields, b"{}", now);
        }
        assert_eq!(lock(&memory.0).len(), RejectedFields::MOST);
        memory.learn(&Route::new("p", "late", "-"), &fields, b"{}", now + RejectedFields::LASTS);
        assert_eq!(lock(&memory.0).len(), 1, "what is old gives way");
    }
}
