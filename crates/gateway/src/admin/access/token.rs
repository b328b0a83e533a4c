//! The token, and how a given one is compared with it.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
};

use evenkeel::config::AdminToken;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A keyed hash.
pub(super) type Keyed = Hmac<Sha256>;

/// What has to be shown to use the listener.
pub(crate) struct Access {
    pub(super) token: Option<AdminToken>,
    /// Makes the cookies of one process different from those of the next.
    pub(super) salt: [u8; 8],
}

// === impl Access ===

impl Access {
    pub(crate) fn new(token: Option<AdminToken>) -> Self {
        let salt = RandomState::new().hash_one("evenkeel-admin").to_be_bytes();
        Self { token, salt }
    }

    /// Whether a token is configured.
    pub(super) fn needs_token(&self) -> bool {
        self.token.is_some()
    }

    /// Whether this is the token. The time of the comparison does not depend on how much of it is right.
    pub(super) fn is_token(&self, given: &str) -> bool {
        let Some(token) = &self.token else { return true };
        let hash = |text: &str| keyed(&self.salt).chain_update(text);
        hash(given).verify(&hash(token.as_str()).finalize().into_bytes()).is_ok()
    }

    /// A hash with the token as its key; `None` without a token.
    pub(super) fn signature(&self) -> Option<Keyed> {
        Some(keyed(self.token.as_ref()?.as_str().as_bytes()).chain_update(self.salt))
    }
}

fn keyed(key: &[u8]) -> Keyed {
    // Keys of any length are allowed.
    Keyed::new_from_slice(key).expect("a key of HMAC may have any length")
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("needs_token", &self.needs_token()).finish()
    }
}
