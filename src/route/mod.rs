//! The key of shared state, [`Route`], and the escaping of names in it.

mod key;
mod name;
mod provider_name;

pub use key::Route;
pub(crate) use key::{is_of_many, provider};
pub(crate) use name::shown;
pub use provider_name::ProviderName;
