//! The settings of the operator's listener, and the listeners of the clients that it needs.

use std::net::SocketAddr;

use evenkeel::{
    ClientBuilder,
    config::{AdminKeys, AdminToken},
};

use super::{history::History, metrics::Exporter};

/// The settings of the operator's listener.
#[derive(Debug)]
pub(crate) struct AdminSetup {
    pub(crate) listen: SocketAddr,
    pub(super) token: Option<AdminToken>,
    pub(super) history: History,
    pub(super) exporter: Exporter,
}

/// The variable that holds the token where the file names none.
const TOKEN: &str = "EVENKEEL_ADMIN_TOKEN";

// === impl AdminSetup ===

impl AdminSetup {
    /// The setup of a listener at that address, which takes precedence over that of the file; `None` without an address. The error
    /// is one line.
    pub(crate) fn new(
        listen: Option<SocketAddr>,
        keys: &AdminKeys,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, String> {
        let Some(listen) = listen.or(keys.listen) else { return Ok(None) };
        let token = match &keys.token {
            Some(token) => Some(token.clone()),
            None => env(TOKEN).filter(|text| !text.trim().is_empty()).map(token).transpose()?,
        };
        if token.is_none() && !listen.ip().is_loopback() {
            return Err(format!(
                "--admin is {listen}, which others can reach, without a token; allowed is an address of the loopback interface, or a token in admin.token_env, admin.token_file or {TOKEN}"
            ));
        }
        let (history, exporter) = (History::default(), Exporter::new()?);
        Ok(Some(Self { listen, token, history, exporter }))
    }

    /// The client with the listeners for what is shown.
    pub(crate) fn observe(&self, builder: ClientBuilder) -> ClientBuilder {
        builder.observe(self.history.clone()).observe(self.exporter.listener())
    }
}

fn token(text: String) -> Result<AdminToken, String> {
    AdminToken::new(&text).map_err(|error| format!("{TOKEN} {}", error.reason()))
}
