//! The trait for stores of answers.

use std::{future::Future, pin::Pin};

use super::{Entry, Key};
use crate::BoxError;

#[cfg(feature = "cache")]
mod memory;
#[cfg(feature = "cache")]
pub use memory::Memory;

/// The future of a lookup in a [`Store`]: an answer, none, or an error.
pub type Found<'a> = Pin<Box<dyn Future<Output = Result<Option<Entry>, BoxError>> + Send + 'a>>;

/// Stores answers: in this process, on a disk, or on a server that many processes share.
///
/// A store cannot fail a call: a late lookup or an error is a miss.
///
/// ```
/// use std::{collections::HashMap, sync::Mutex};
/// use bytes::Bytes;
/// use evenkeel::{BoxError, cache::{Entry, Found, Key, Store}};
///
/// /// Keeps everything, as bytes under text: a server would get the same.
/// #[derive(Default)]
/// struct Shelf(Mutex<HashMap<String, Bytes>>);
///
/// impl Store for Shelf {
///     fn get(&self, key: &Key) -> Found<'_> {
///         let key = key.to_string();
///         Box::pin(async move {
///             let bytes = self.0.lock().unwrap().get(&key).cloned();
///             Ok(bytes.and_then(Entry::from_bytes))
///         })
///     }
///
///     fn put(&self, key: &Key, entry: Entry) -> Result<(), BoxError> {
///         // To a server: `tokio::spawn` the sending, and return.
///         self.0.lock().unwrap().insert(key.to_string(), entry.to_bytes());
///         Ok(())
///     }
/// }
/// ```
pub trait Store: Send + Sync + 'static {
    /// Looks up an answer, whatever its age.
    fn get(&self, key: &Key) -> Found<'_>;

    /// Stores an answer, replacing any other under that key.
    ///
    /// Called inline at the end of an answer, so it must not block: spawn a task for slow work.
    ///
    /// # Errors
    ///
    /// If the answer cannot be stored. The error is emitted as an event, and changes nothing for the caller.
    fn put(&self, key: &Key, entry: Entry) -> Result<(), BoxError>;
}
