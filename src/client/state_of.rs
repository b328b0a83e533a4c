//! A client with the state of another one.

use super::{Client, ClientBuilder};

// === impl ClientBuilder ===

impl ClientBuilder {
    /// Keeps the state of another client: for a configuration that changes while the program runs.
    ///
    /// The new client has the breakers, limits, budgets, latencies and waiting calls of every route, the stored answers, the
    /// rejected fields and the makers of reasoning that the other one knows. An open breaker stays open until the same instant; a
    /// permit that an attempt of the other client holds is returned to the limit that both share. Calls under way end on the client
    /// that they began on, with its deadline and its targets, and report to the shared state. [`Client::breakers`] and
    /// [`Client::limits`] of both show the same.
    ///
    /// The settings of breakers, limits and budgets are those of the client that was built last, in both clients: so new thresholds
    /// apply to the counts so far, and a lower limit to calls that wait already. Their events go to the listeners of the client that
    /// was built last. A build that fails changes nothing.
    ///
    /// What belongs to a route that no target leads to any more is forgotten, unless a call of it is under way. A route whose
    /// breaker was forced stays forced. Equal calls in flight are not shared between the two clients.
    ///
    /// Stored answers are kept if both clients have the store of [`CachePolicy::new`](crate::cache::CachePolicy::new); a store that
    /// was named is used as it is. A token is kept if both clients have clones of one
    /// [`CredentialPolicy`](crate::credentials::CredentialPolicy).
    ///
    /// # Default
    ///
    /// No state: every client has its own.
    ///
    /// ```
    /// use evenkeel::{Client, Profile, breaker::BreakerPolicy};
    /// # use evenkeel::Upstream;
    ///
    /// # fn reload(transport: impl Upstream, client: Client) -> Result<Client, evenkeel::ConfigError> {
    /// let breaker = BreakerPolicy::default().consecutive_failures(3);
    /// let changed = Client::builder()
    ///     .profile(Profile::interactive().breaker(breaker))
    ///     .state_of(&client)
    ///     .build_with(transport)?;
    /// # Ok(changed)
    /// # }
    /// ```
    pub fn state_of(mut self, client: &Client) -> Self {
        self.before = Some(client.layers.clone());
        self
    }
}
