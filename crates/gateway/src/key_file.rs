//! A key in a file that another process rewrites, such as a mounted secret.

use std::{fs::File, io::Read, path::PathBuf, time::Duration};

use evenkeel::{
    BoxError,
    credentials::{CredentialPolicy, CredentialSource, Credentials, CredentialsFuture},
};
use http::{HeaderName, header::AUTHORIZATION};

/// A key in a file. It is read again every minute, and when the provider has rejected the key.
#[derive(Clone, Debug)]
pub(crate) struct KeyFile {
    path: PathBuf,
    /// The header of the key; without one it is a bearer token.
    header: Option<HeaderName>,
}

/// How long a key is used before the file is read again: as long as a mounted secret takes to change.
const VALID: Duration = Duration::from_secs(60);
/// The least time between two reads after rejections: reading costs nothing.
const BETWEEN: Duration = Duration::from_secs(1);
/// The longest file that is read.
const LONGEST: u64 = 64 * 1024;

// === impl KeyFile ===

impl KeyFile {
    pub(crate) fn new(path: &str, header: Option<HeaderName>) -> Self {
        Self { path: path.into(), header: header.filter(|name| *name != AUTHORIZATION) }
    }

    /// Reads the key; the error has no part of it.
    pub(crate) fn read(&self) -> Result<Credentials, BoxError> {
        let mut text = String::new();
        let file = File::open(&self.path)?;
        file.take(LONGEST).read_to_string(&mut text)?;
        let key = text.trim();
        if key.is_empty() || !key.bytes().all(|b| (0x21..0x7f).contains(&b)) {
            return Err("the file does not hold one line of visible ASCII".into());
        }
        let credentials = match &self.header {
            None => Credentials::bearer(key),
            Some(name) => Credentials::new().header(name.clone(), key),
        };
        Ok(credentials.expires_in(VALID))
    }

    /// The source that reads the file.
    pub(crate) fn policy(self) -> CredentialPolicy {
        CredentialPolicy::new(self).min_refresh_interval(BETWEEN)
    }
}

impl CredentialSource for KeyFile {
    fn fetch(&self) -> CredentialsFuture<'_> {
        let file = self.clone();
        // A file system of the network may take its time.
        Box::pin(async move { tokio::task::spawn_blocking(move || file.read()).await? })
    }
}
