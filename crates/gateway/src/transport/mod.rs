//! The transport: sends a request to an upstream over HTTP or HTTPS, directly or through the proxy of the environment.

#[cfg(feature = "tls")]
mod env_proxy;
mod pools;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;

pub(crate) use self::pools::Transport;
