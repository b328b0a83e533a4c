//! Whole numbers with their bounds.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Whole<const MIN: u64, const MAX: u64>(u64);

struct WholeVisitor<const MIN: u64, const MAX: u64>;

// === impl Whole ===

impl<const MIN: u64, const MAX: u64> Whole<MIN, MAX> {
    pub(in crate::config) fn u64(self) -> u64 {
        self.0
    }

    pub(in crate::config) fn u32(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }

    pub(in crate::config) fn usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    fn checked<E: Error>(number: impl fmt::Display + TryInto<u64>) -> Result<Self, E> {
        let is = number.to_string();
        let inside = number.try_into().ok().filter(|number| (MIN..=MAX).contains(number));
        inside.map(Self).ok_or_else(|| {
            let allowed = WholeVisitor::<MIN, MAX>;
            E::custom(format!("is {is}; allowed is {}", &allowed as &dyn serde::de::Expected))
        })
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(WholeVisitor)
    }
}

// === impl WholeVisitor ===

impl<const MIN: u64, const MAX: u64> Visitor<'_> for WholeVisitor<MIN, MAX> {
    type Value = Whole<MIN, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bound of the type is no bound of the setting.
        if MAX >= u64::from(u32::MAX) {
            return write!(f, "a whole number from {MIN} on");
        }
        write!(f, "a whole number from {MIN} to {MAX}")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Whole::checked(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Whole::checked(number)
    }
}
