//! Whether reqwest is built with TLS: without it each call to `https://` fails, which is found when a client is built.

use reqwest::ClientBuilder;

use crate::{ConfigError, fallback::FallbackPolicy};

/// Has the method of reqwest that exists only if reqwest has TLS. An inherent method comes before that of a trait, so the type of
/// the result tells which of both was called.
trait WithoutTls: Sized {
    // Not called if reqwest has TLS.
    #[allow(dead_code)]
    fn tls_info(self, _: bool) -> NoTls {
        NoTls
    }
}

/// The result of the method if reqwest has no TLS.
struct NoTls;

/// Whether a result is that of reqwest's own method.
trait IsReqwest {
    const HAS_TLS: bool;
}

/// Rejects a target at `https://` if reqwest has no TLS.
pub(super) fn check(fallbacks: &FallbackPolicy) -> Result<(), ConfigError> {
    match fallbacks.needs_tls() {
        Some(field) if !has_tls() => Err(ConfigError::new(
            field,
            format_args!("an https URL, and reqwest is built without TLS"),
            "https with a feature of reqwest for TLS, such as reqwest = { features = [\"rustls\"] } in Cargo.toml",
        )),
        _ => Ok(()),
    }
}

fn has_tls() -> bool {
    of(&reqwest::Client::builder().tls_info(false))
}

fn of<T: IsReqwest>(_: &T) -> bool {
    T::HAS_TLS
}

impl WithoutTls for ClientBuilder {}

impl IsReqwest for ClientBuilder {
    const HAS_TLS: bool = true;
}

impl IsReqwest for NoTls {
    const HAS_TLS: bool = false;
}
