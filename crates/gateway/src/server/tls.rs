//! TLS of the listener, by rustls, with a certificate that is read again when its files change.

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use evenkeel::{ConfigError, config::TlsKeys};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::access::{EVERY, Rereads};

/// TLS of the listener.
#[derive(Debug)]
pub(crate) struct ServerTls {
    pair: Arc<Pair>,
    rereads: Rereads,
}

/// A certificate and its key.
struct Pair {
    files: TlsKeys,
    current: Mutex<Current>,
}

/// The bytes that were read last, usable or not, and the last configuration that was usable.
struct Current {
    read: Files,
    config: Arc<ServerConfig>,
}

/// The bytes of both files.
#[derive(PartialEq)]
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// Why a pair cannot be used: the key of the configuration, and the reason without any of the bytes.
struct Fault {
    key: &'static str,
    reason: String,
}

/// The time that a client has for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A longer file is not read.
const LONGEST: u64 = 1024 * 1024;

// === impl ServerTls ===

impl ServerTls {
    /// Reads the files.
    pub(crate) fn new(files: &TlsKeys) -> Result<Self, ConfigError> {
        let read = Files::read(files).and_then(|read| Ok((read.config()?, read)));
        let (config, read) = read.map_err(|Fault { key, reason }| {
            // The path is not shown, as it may be a key.
            let reason = format!(
                "cannot be used: {reason}; allowed are PEM files of a certificate and its key"
            );
            ConfigError::because(format!("tls.{key}"), reason)
        })?;
        let current = Mutex::new(Current { read, config });
        Ok(Self { pair: Arc::new(Pair { files: files.clone(), current }), rereads: Rereads::new() })
    }

    /// The connection after its handshake; `None` if that fails or takes too long.
    pub(crate) async fn accept<I>(&self, io: I) -> Option<TlsStream<I>>
    where
        I: AsyncRead + AsyncWrite + Unpin,
    {
        let pair = self.pair.clone();
        self.rereads.after(EVERY, move || pair.reread()).await;
        let acceptor = TlsAcceptor::from(self.pair.config());
        match timeout(HANDSHAKE, acceptor.accept(io)).await {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS handshake failed");
                None
            }
            Err(_) => None,
        }
    }

    /// Reads the files now.
    #[cfg(test)]
    pub(crate) fn reread(&self) {
        self.pair.reread();
    }
}

// === impl Pair ===

impl Pair {
    fn config(&self) -> Arc<ServerConfig> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).config.clone()
    }

    /// Uses the files if they have changed. A pair that cannot be used is logged once, and changes nothing.
    fn reread(&self) {
        let read = match Files::read(&self.files) {
            Ok(read) => read,
            Err(fault) => return fault.log(),
        };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.read == read {
            return;
        }
        match read.config() {
            Ok(config) => {
                current.config = config;
                tracing::info!("the certificate of the listener has changed");
            }
            Err(fault) => fault.log(),
        }
        current.read = read;
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pair")
    }
}

// === impl Files ===

impl Files {
    fn read(files: &TlsKeys) -> Result<Self, Fault> {
        let certificate = bytes(&files.certificate).map_err(|it| Fault::of("certificate", it))?;
        let key = bytes(&files.key).map_err(|it| Fault::of("key", it))?;
        Ok(Self { certificate, key })
    }

    fn config(&self) -> Result<Arc<ServerConfig>, Fault> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| Fault::of("certificate", "the file has no certificate"))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key);
        let key = key.map_err(|_| Fault::of("key", "the file has no key"))?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions();
        let builder =
            builder.map_err(|error| Fault::of("certificate", error))?.with_no_client_auth();
        // It is rejected if the key is another's.
        let config = builder.with_single_cert(chain, key);
        let mut config = config.map_err(|error| Fault::of("key", error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// Reads a file of a bounded length.
fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > LONGEST {
        return Err("the file is larger than 1 MiB".into());
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

// === impl Fault ===

impl Fault {
    fn of(key: &'static str, reason: impl fmt::Display) -> Self {
        Self { key, reason: reason.to_string() }
    }

    fn log(&self) {
        tracing::warn!(
            key = self.key,
            reason = self.reason,
            "the files of the certificate cannot be used; the last one stays"
        );
    }
}
