//! One call with settings of its own.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    Availability, CallOptions, Client, Error,
    cache::Tenant,
    call_options::{OptionSources, Scope},
    context::{Priority, Route},
    dialect::Dialect,
    fallback::Fallback,
    into_call::IntoCall,
    stream::{CommitPolicy, MidStreamFailure},
};

/// One call and its settings: made by [`Client::call`], sent by [`send`](Self::send) or `.await`. Of each field the last value that
/// was set is used. See [`call_options`](crate::call_options).
#[must_use = "a call is made when it is sent"]
pub struct Call<R> {
    client: Client,
    request: R,
    options: CallOptions,
}

// === impl Client ===

impl Client {
    /// Sends a request through the whole stack, like `reqwest::Client::execute`.
    ///
    /// Headers, bodies and the URL of the response are those of the client that sends it. A timeout of a reqwest request becomes
    /// the call's deadline if it is sooner than the profile's; so it does not end a stream that has begun.
    ///
    /// A streaming request body is sent once, without retries and without other targets, unless the client
    /// [buffers uploads](crate::ClientBuilder::buffer_uploads). A multipart form whose parts are in memory, up to 32 MiB, is sent
    /// again as any other request.
    ///
    /// # Errors
    ///
    /// If no target and no fallback answered: see [`Error`].
    pub async fn execute<R: IntoCall>(&self, request: R) -> Result<R::Response, Error> {
        self.call(request).send().await
    }

    /// Begins a call with settings of its own.
    ///
    /// ```
    /// use std::time::Duration;
    /// use evenkeel::{Client, context::Priority};
    /// # use evenkeel_testkit::Provider;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let client = Client::builder().build_with(Provider::new("api"))?;
    /// let body = r#"{"model": "gpt-4o", "messages": [{"role": "user", "content": "Where is my parcel?"}]}"#;
    /// let request = http::Request::post("https://api.example.com/v1/chat/completions").body(body)?;
    /// let answer = client
    ///     .call(request)
    ///     .deadline(Duration::from_secs(8))
    ///     .priority(Priority::Batch)
    ///     .fallback_models(["gpt-4o-mini"])
    ///     .await?;
    /// # assert!(answer.status().is_success());
    /// # Ok(()) }
    /// ```
    pub fn call<R: IntoCall>(&self, request: R) -> Call<R> {
        Call { client: self.clone(), request, options: CallOptions::new() }
    }
}

// === impl Call ===

impl<R: IntoCall> Call<R> {
    /// Sets all fields that are set in `options`.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options.or(&self.options);
        self
    }

    /// The time that the call has, from the moment at which it is sent: see [`CallOptions::deadline`].
    pub fn deadline(self, limit: Duration) -> Self {
        self.change(|options| options.deadline(limit))
    }

    /// The moment at which the call must have ended: see [`CallOptions::deadline_at`].
    pub fn deadline_at(self, at: Instant) -> Self {
        self.change(|options| options.deadline_at(at))
    }

    /// The order in the queue of a limit: see [`CallOptions::priority`].
    pub fn priority(self, priority: Priority) -> Self {
        self.change(|options| options.priority(priority))
    }

    /// Fallbacks of the call: see [`CallOptions::fallbacks`].
    pub fn fallbacks(self, fallbacks: impl IntoIterator<Item = Fallback>) -> Self {
        self.change(|options| options.fallbacks(fallbacks))
    }

    /// Other models as fallbacks of the call: see [`CallOptions::fallback_models`].
    pub fn fallback_models<M: AsRef<str>>(self, models: impl IntoIterator<Item = M>) -> Self {
        self.change(|options| options.fallback_models(models))
    }

    /// Calls with the same key go to the same one of equal targets: see [`CallOptions::affinity`].
    pub fn affinity(self, key: impl AsRef<[u8]>) -> Self {
        self.change(|options| options.affinity(key))
    }

    /// When the answer is handed on: see [`CallOptions::commit`].
    pub fn commit(self, commit: CommitPolicy) -> Self {
        self.change(|options| options.commit(commit))
    }

    /// The tenant that an answer is stored for: see [`CallOptions::tenant`].
    pub fn tenant(self, tenant: impl Into<Tenant>) -> Self {
        self.change(|options| options.tenant(tenant))
    }

    /// What happens to a stream that fails while it is read: see [`CallOptions::mid_stream_failure`].
    pub fn mid_stream_failure(self, failure: MidStreamFailure) -> Self {
        self.change(|options| options.mid_stream_failure(failure))
    }

    /// The dialect of the request: see [`CallOptions::dialect`].
    pub fn dialect(self, dialect: Dialect) -> Self {
        self.change(|options| options.dialect(dialect))
    }

    fn change(mut self, change: impl FnOnce(CallOptions) -> CallOptions) -> Self {
        self.options = change(self.options);
        self
    }

    /// The availability for this call if it were sent now, with its settings: see [`Client::availability_of`].
    pub fn availability(&self) -> Availability {
        self.client.availability_with(&self.request, self.options.clone())
    }

    /// The routes that this call may take, with its settings: see [`Client::routes_of`].
    pub fn routes(&self) -> Vec<Route> {
        self.client.routes_with(&self.request, self.options.clone())
    }

    /// Sends the call. Nothing is sent until the future is polled, and a [`deadline`](Self::deadline) counts from then.
    ///
    /// # Errors
    ///
    /// If a setting is wrong: the source is a [`ConfigError`](crate::ConfigError) that names the field. If no target and no
    /// fallback answered: see [`Error`].
    pub fn send(self) -> impl Future<Output = Result<R::Response, Error>> + Send + 'static {
        let Self { client, request, options } = self;
        let scope = Scope::current();
        async move {
            let (request, asked) = request.into_request(client.upload_buffer()).await?;
            let response = client.send_with(request, OptionSources { explicit: options, scope });
            Ok(R::respond(response.await?, asked))
        }
    }
}

impl<R: IntoCall> IntoFuture for Call<R> {
    type Output = Result<R::Response, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<R> fmt::Debug for Call<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("options", &self.options).finish_non_exhaustive()
    }
}
