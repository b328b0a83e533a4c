//! Changes of single fields of a request: another name, another value, or no field at all. Every other byte stays.
//!
//! A [`FieldChange`] is plain data. [`change_fields`] applies several to a body; [`FieldChange::check`] rejects a change of a
//! field that decides what is asked, such as the messages or the model. [`RejectedField`](crate::outcome::RejectedField) finds the
//! change that a provider's error asks for.

mod apply;
mod change;
mod known;
mod path;
mod splice;
#[cfg(test)]
mod tests;

pub use apply::{ChangedFields, change_fields, field_json};
pub use change::FieldChange;
pub(crate) use known::{is_limit, known};
