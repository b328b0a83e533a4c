//! The names of models that a call names as its fallbacks.

use crate::{ConfigError, fallback::Fallbacks};

/// The longest name, in bytes.
const LONGEST: usize = 128;

/// Rejects what is not a list of models.
pub(super) fn check(field: &str, models: &[Box<str>]) -> Result<(), ConfigError> {
    let most = Fallbacks::MAX_FALLBACKS;
    let allowed = || {
        format!(
            "1 to {most} models, each of 1 to {LONGEST} letters, digits and ._:/@+-, without a part . or .."
        )
    };
    if models.is_empty() || models.len() > most {
        let many = if models.is_empty() { "no model" } else { "more models" };
        return Err(ConfigError::new(field, many, allowed()));
    }
    match models.iter().find(|model| !is_model(model)) {
        Some(model) => {
            let shown: String = model.chars().take(LONGEST).collect();
            Err(ConfigError::new(field, shown, allowed()))
        }
        None => Ok(()),
    }
}

/// Whether it can be the name of a model. In the path of a Gemini request `..` would lead to another path.
fn is_model(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._:/@+-".contains(&b);
    let inside = !name.split('/').any(|part| part == ".." || part == ".");
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(plain) && inside
}
