//! Parses a number, or a pair of numbers, in the JSON file of an incident.

use serde::{Deserialize, Deserializer, de};

use crate::incident::{field_error::FieldError, sample::SampleRange};

/// A number or a pair, not validated.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawRange(f64, f64);

// === impl RawRange ===

impl RawRange {
    pub(super) fn check(self, field: &str, max: f64) -> Result<SampleRange, FieldError> {
        let Self(low, high) = self;
        for value in [low, high] {
            if !(0.0..=max).contains(&value) {
                return Err(FieldError::new(field, value, format!("0 to {max}")));
            }
        }
        Ok(SampleRange { low, high })
    }

    pub(super) fn rising(self, field: &str, max: f64) -> Result<SampleRange, FieldError> {
        let range = self.check(field, max)?;
        if range.low > range.high {
            let value = [range.low, range.high];
            return Err(FieldError::new(
                field,
                value,
                "a pair whose first is not above its second",
            ));
        }
        Ok(range)
    }
}

impl<'de> Deserialize<'de> for RawRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RangeVisitor)
    }
}

struct RangeVisitor;

impl<'de> de::Visitor<'de> for RangeVisitor {
    type Value = RawRange;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number or a pair of numbers")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<RawRange, E> {
        Ok(RawRange(value, value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<RawRange, E> {
        self.visit_f64(value as f64)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<RawRange, E> {
        self.visit_f64(value as f64)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut pair: A) -> Result<RawRange, A::Error> {
        let mut number =
            || pair.next_element()?.ok_or_else(|| de::Error::invalid_length(1, &RangeVisitor));
        let (low, high) = (number()?, number()?);
        match pair.next_element::<f64>()? {
            None => Ok(RawRange(low, high)),
            Some(_) => Err(de::Error::invalid_length(3, &RangeVisitor)),
        }
    }
}
