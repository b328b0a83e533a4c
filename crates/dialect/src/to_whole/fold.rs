//! An answer that is put together from the events of its stream.

use serde_json::{Map, Value};

/// The fields of one event.
pub(super) type Fields = Map<String, Value>;

/// An answer that is put together from the events of its stream.
pub(super) trait Fold: Default {
    /// Adds an event. `name` is the `event:` name; empty if there is none. Returns whether the answer continues.
    fn add(&mut self, name: &str, event: Fields) -> bool;

    /// The whole answer; `None` if the events are not an answer.
    fn end(self) -> Option<Value>;
}
