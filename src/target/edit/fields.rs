//! Edits of single fields.

use super::Edit;
use crate::dialect::FieldChange;

// === impl Edit ===

impl Edit {
    /// Gives a field of the request another name: `max_tokens`, `max_completion_tokens`. Its value stays; if the request has a
    /// value under the new name already, that value stays instead.
    ///
    /// A field is named by its path from the top of the body, with dots between the names: `generationConfig.seed`. Fields that
    /// decide what is asked (the model, the messages, the system prompt, the tools, the stream) are rejected when the layer is
    /// built.
    #[must_use]
    pub fn rename(mut self, from: &str, to: &str) -> Self {
        self.fields.push(FieldChange::rename(from.to_owned(), to.to_owned()));
        self
    }

    /// Drops a field of the request, such as `store`, named as for [`rename`](Self::rename).
    #[must_use]
    pub fn drop(mut self, field: &str) -> Self {
        self.fields.push(FieldChange::drop(field.to_owned()));
        self
    }

    /// Sets a field of the request, whether or not the caller has set it, named as for [`rename`](Self::rename).
    #[must_use]
    pub fn set(mut self, field: &str, value: impl Into<serde_json::Value>) -> Self {
        self.fields.push(FieldChange::set(field.to_owned(), &value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Request, context::CallContext};

    const BODY: &str = r#"{"model":"m", "max_tokens" : 5e1,"store":true,"messages":[{"role":"user","content":"max_tokens"}]}"#;

    fn edited(edit: &Edit) -> String {
        let request = http::Request::post("http://a/v1/chat/completions");
        let mut request: Request =
            request.header("content-length", BODY.len()).body(BODY.into()).unwrap();
        let info = CallContext::info(&mut request);
        assert!(edit.apply(&mut request, &info).is_some_and(|edited| edited.changed));
        let length = request.body().len().to_string();
        assert_eq!(request.headers()["content-length"], *length);
        String::from_utf8(request.body().to_vec()).unwrap()
    }

    #[test]
    fn a_field_is_renamed_dropped_and_set_and_every_other_byte_stays() {
        let edit = Edit::new()
            .rename("max_tokens", "max_completion_tokens")
            .drop("store")
            .set("temperature", 1);
        let expected = r#"{"model":"m", "max_completion_tokens" : 5e1,"messages":[{"role":"user","content":"max_tokens"}],"temperature":1}"#;
        assert_eq!(edited(&edit), expected);
    }

    #[test]
    fn a_field_that_decides_what_is_asked_is_rejected_by_its_name() {
        let field = |name: &str| format!("fallbacks[0].{name}");
        for edit in [Edit::new().drop("messages"), Edit::new().rename("user", "model")] {
            let error = edit.check(&field).unwrap_err().to_string();
            assert!(error.contains("fallbacks[0].edit.field"), "{error}");
        }
        assert!(Edit::new().drop("store").check(&field).is_ok());
    }
}
