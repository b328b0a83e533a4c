//! Where answers are stored.

use std::{future::Future, pin::Pin};

use super::{Entry, Key};
use crate::BoxError;

#[cfg(feature = "cache")]
mod memory;
#[cfg(feature = "cache")]
pub use memory::Memory;

/// What a [`Store`] found: an answer, none, or why it could not look.
pub type Found<'a> = Pin<Box<dyn Future<Output = Result<Option<Entry>, BoxError>> + Send + 'a>>;

/// Where answers are stored: in this process, on a disk, in a server that many processes share.
///
/// It cannot fail a call: what it does not find in time, and what it cannot read, is a miss.
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
    /// Looks for an answer, however old it is.
    fn get(&self, key: &Key) -> Found<'_>;

    /// Takes over an answer; one that was there under that key is replaced.
    ///
    /// Called in line with the end of an answer, so it must not block: what takes time belongs into a task of yours.
    ///
    /// # Errors
    ///
    /// Where it cannot be taken. That is told as an event, and changes nothing for the caller.
    fn put(&self, key: &Key, entry: Entry) -> Result<(), BoxError>;
}
