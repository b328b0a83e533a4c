//! Validates targets.

use http::{HeaderName, header};

use super::{Target, base};
use crate::{ConfigError, route::is_of_many};

/// Headers that the transport writes, or that every request has: none of them is a credential.
const NOT_CREDENTIALS: [HeaderName; 10] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPECT,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

// === impl Target ===

impl Target {
    pub(crate) fn check(&self, field: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        if let Some(base) = &self.base {
            base::check(base, field("base_url"))?;
        }
        if let Some(model) = self.model.as_deref().filter(|model| is_odd_model(model)) {
            let allowed =
                "the name of a model, not blank, without spaces around it and without line breaks";
            return Err(ConfigError::new(field("model"), model, allowed));
        }
        if let Some(label) = self.label.as_deref().filter(|label| is_of_many(label)) {
            let allowed = "a name of one credential: \"*\" and names that begin with \"~\" stand for many, \"-\" for none";
            return Err(ConfigError::new(field("label"), label, allowed));
        }
        self.check_credentials(&field("credential"))?;
        if let Some(credentials) = &self.credentials {
            credentials.check(field)?;
        }
        if let Some(endpoint) = &self.endpoint {
            base::check_endpoint(endpoint, self.dialect, field("endpoint"))?;
        }
        let same = self.base.is_none() && !self.has_credential() && self.model.is_none();
        if same && self.dialect.is_none() && self.endpoint.is_none() {
            let allowed = "at least one of base URL, model, credential, dialect and endpoint";
            return Err(ConfigError::new(field("target"), format_args!("empty"), allowed));
        }
        Ok(())
    }

    fn check_credentials(&self, field: &str) -> Result<(), ConfigError> {
        for (name, value) in &self.headers {
            if NOT_CREDENTIALS.contains(name) {
                let allowed =
                    "a header that carries a credential, such as authorization or x-api-key";
                return Err(ConfigError::new(field, name.as_str(), allowed));
            }
            if let Err(fault) = value {
                let value = format_args!("{} ({name})", fault.found());
                return Err(ConfigError::new(field, value, fault.allowed()));
            }
        }
        Ok(())
    }
}

/// Whether no provider can have a model of that name.
fn is_odd_model(model: &str) -> bool {
    model.trim().is_empty() || model.trim() != model || model.chars().any(char::is_control)
}
