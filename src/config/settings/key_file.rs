//! A key in a file that another process rewrites, such as a mounted secret.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

use http::{HeaderName, header::AUTHORIZATION};

use crate::{
    BoxError, ConfigError,
    credentials::{CredentialPolicy, CredentialSource, Credentials, CredentialsFuture},
};

/// A key in a file. It is read again every minute, and when the provider has rejected the key.
#[derive(Clone, Debug)]
pub(super) struct KeyFile {
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
    /// The source of the key in a file, which has to hold one now. `at`: the table of the target.
    pub(super) fn source(
        path: &str,
        header: Option<HeaderName>,
        at: &str,
    ) -> Result<CredentialPolicy, ConfigError> {
        let file = Self { path: path.into(), header: header.filter(|it| *it != AUTHORIZATION) };
        match file.read() {
            Ok(_) => Ok(CredentialPolicy::new(file).min_refresh_interval(BETWEEN)),
            Err(error) => {
                // The path is not shown, as it may be a key.
                let allowed = "allowed is the path of a file that holds the key";
                let reason = format!("cannot be used: {error}; {allowed}");
                Err(ConfigError::because(format!("{at}.key_file"), reason))
            }
        }
    }

    /// Reads the key; the error has no part of it.
    fn read(&self) -> Result<Credentials, BoxError> {
        let key = secret_line(&self.path)?;
        let credentials = match &self.header {
            None => Credentials::bearer(&key),
            Some(name) => Credentials::new().header(name.clone(), &key),
        };
        Ok(credentials.expires_in(VALID))
    }
}

/// The line of visible ASCII that a file holds; the error has no part of it.
pub(super) fn secret_line(path: &Path) -> Result<String, BoxError> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    let line = text.trim();
    if line.is_empty() || !line.bytes().all(|b| (0x21..0x7f).contains(&b)) {
        return Err("the file does not hold one line of visible ASCII".into());
    }
    Ok(line.to_owned())
}

impl CredentialSource for KeyFile {
    fn fetch(&self) -> CredentialsFuture<'_> {
        let file = self.clone();
        // A file system of the network may take its time.
        Box::pin(async move { tokio::task::spawn_blocking(move || file.read()).await? })
    }
}
