//! Validates targets.

use super::{Target, base};
use crate::{ConfigError, route::is_of_many};

// === impl Target ===

impl Target {
    pub(crate) fn check(&self, field: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        if let Some(base) = &self.base {
            base::check(base, field("base_url"))?;
        }
        if self.model.as_deref().is_some_and(|model| model.trim().is_empty()) {
            return Err(ConfigError::new(field("model"), "", "a model's name"));
        }
        if let Some(label) = self.label.as_deref().filter(|label| is_of_many(label)) {
            let allowed = "a name of one credential: \"*\" and names that begin with \"~\" stand for many, \"-\" for none";
            return Err(ConfigError::new(field("label"), label, allowed));
        }
        for (name, value) in &self.headers {
            if value.is_err() {
                let allowed = "a secret, not blank, without line breaks or control characters";
                return Err(ConfigError::new(field("credential"), name, allowed));
            }
        }
        if let Some(credentials) = &self.credentials {
            credentials.check(field)?;
        }
        if let Some(endpoint) = &self.endpoint {
            base::check_endpoint(endpoint, self.dialect, field("endpoint"))?;
        }
        let same = self.base.is_none() && !self.has_credential() && self.model.is_none();
        if same && self.dialect.is_none() && self.endpoint.is_none() {
            let allowed = "at least one of base URL, model, credential, dialect and endpoint";
            return Err(ConfigError::new(field("target"), "empty", allowed));
        }
        Ok(())
    }
}
