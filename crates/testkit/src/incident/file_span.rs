//! A number, or a pair of them, in the JSON file of an incident.

use serde::{Deserialize, Deserializer, de};

use crate::incident::{draw::Span, field_error::FieldError};

/// A number or a pair, not checked yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawSpan(f64, f64);

// === impl RawSpan ===

impl RawSpan {
    pub(super) fn check(self, field: &str, most: f64) -> Result<Span, FieldError> {
        let Self(low, high) = self;
        for value in [low, high] {
            if !(0.0..=most).contains(&value) {
                return Err(FieldError::new(field, value, format!("0 to {most}")));
            }
        }
        Ok(Span { low, high })
    }

    pub(super) fn rising(self, field: &str, most: f64) -> Result<Span, FieldError> {
        let span = self.check(field, most)?;
        if span.low > span.high {
            let value = [span.low, span.high];
            return Err(FieldError::new(
                field,
                value,
                "a pair whose first is not above its second",
            ));
        }
        Ok(span)
    }
}

impl<'de> Deserialize<'de> for RawSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either)
    }
}

struct Either;

impl<'de> de::Visitor<'de> for Either {
    type Value = RawSpan;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number or a pair of numbers")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<RawSpan, E> {
        Ok(RawSpan(value, value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<RawSpan, E> {
        self.visit_f64(value as f64)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<RawSpan, E> {
        self.visit_f64(value as f64)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut pair: A) -> Result<RawSpan, A::Error> {
        let mut number =
            || pair.next_element()?.ok_or_else(|| de::Error::invalid_length(1, &Either));
        let (low, high) = (number()?, number()?);
        match pair.next_element::<f64>()? {
            None => Ok(RawSpan(low, high)),
            Some(_) => Err(de::Error::invalid_length(3, &Either)),
        }
    }
}
