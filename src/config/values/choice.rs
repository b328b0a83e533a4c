//! A value out of a list of names.

use serde::{Deserialize, Deserializer, de::Error};

use super::shown;

/// A type whose values have names in a configuration.
pub(in crate::config) trait Choice: Copy + 'static {
    /// The names and what they mean.
    fn choices() -> Vec<(&'static str, Self)>;
}

/// One of the names of a [`Choice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct One<T>(pub(in crate::config) T);

// === impl One ===

impl<'de, T: Choice> Deserialize<'de> for One<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let choices = T::choices();
        let found = choices.iter().find(|(name, _)| *name == text);
        found.map(|(_, value)| Self(*value)).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            let allowed = match &*names {
                [first, second] => format!("{first} or {second}"),
                names => format!("one of {}", names.join(", ")),
            };
            D::Error::custom(format!("is {}; allowed is {allowed}", shown(&text)))
        })
    }
}
