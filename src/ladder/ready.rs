//! What a rung asks less of, for which failures it is there, and whether a call gets from it what it needs.

use http::{HeaderValue, header::CONTENT_TYPE};
use memchr::memmem;

use super::{Edit, Offers, Rung, When, rung::Kind};
use crate::{
    Error, Request, Response,
    classify::Outcome,
    context::Call,
    dialect::{Ask, Draft},
    stream::collect,
    telemetry::{Edited, Skip},
};

// === impl Rung ===

impl Rung {
    /// What is asked less of here than the caller asked.
    ///
    /// A rung without tools, without images or without a stream has a route of its own, with its own breaker: a provider
    /// may fail the one and serve the other. Its model ends in `:no-…` there.
    #[must_use]
    pub fn edit(mut self, edit: Edit) -> Self {
        self.edit = edit;
        self
    }

    /// The same without that tool: see [`Edit::without_tool`].
    #[must_use]
    pub fn without_tool(mut self, name: &str) -> Self {
        self.edit = self.edit.without_tool(name);
        self
    }

    /// The same without any tool: see [`Edit::without_tools`].
    #[must_use]
    pub fn without_tools(mut self) -> Self {
        self.edit = self.edit.without_tools();
        self
    }

    /// A rung for these failures alone: it is asked when the rung asked before it came to one of them. Without it a rung is
    /// for all that move down. Where nothing was asked yet, as the rungs above offer less than the call needs, that counts
    /// as [`When::TooLarge`].
    #[must_use]
    pub fn on(mut self, failures: impl IntoIterator<Item = When>) -> Self {
        self.on.extend(failures);
        self
    }

    /// Whether it is there for that failure by name.
    pub(super) fn wants(&self, outcome: Outcome, call: (&Ask, &[u8])) -> bool {
        self.on.iter().any(|when| when.is(outcome, call))
    }

    /// The request for this rung, edited; or why the rung is passed by: what the call still needs then is not offered, or
    /// the rung would only ask again what has failed already, as the caller sent it and where.
    pub(super) fn ready(
        &self,
        request: Request,
        ask: &Ask,
        failed_plain: Option<Outcome>,
    ) -> Result<(Request, Edited), Skip> {
        let mut request = self.request(request, ask);
        if self.is_instant() {
            return Ok((request, Edited::default()));
        }
        let edited = self.edit.apply(&mut request, ask).ok_or(Skip::Capability)?;
        if self.offers.lack(&mut request) {
            return Err(Skip::Capability);
        }
        let again = matches!(self.kind, Kind::Addressed) && !self.edit.is_none() && !edited.changed;
        // Refused, nothing was sent yet, and this rung has a route of its own.
        if again && failed_plain.is_some_and(|outcome| !matches!(outcome, Outcome::Refused { .. }))
        {
            return Err(Skip::Unchanged);
        }
        let facet = self.edit.facet();
        if !facet.is_empty() {
            let route = Call::route(&mut request).with_facet(&facet);
            let call = Call::of(&mut request);
            (call.route, call.facet) = (Some(route), Some(facet.as_str().into()));
        }
        Ok((request, edited))
    }

    /// Whether it sends what the caller sent where the caller sent it.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.kind, Kind::Addressed) && self.edit.is_none()
    }

    /// Whether a call may need more than it offers.
    pub(super) fn may_pass(&self) -> bool {
        self.offers != Offers::default() || self.edit.fits_any()
    }
}

// === impl Offers ===

impl Offers {
    /// Whether it takes images.
    #[must_use]
    pub fn vision(mut self, vision: bool) -> Self {
        self.vision = vision;
        self
    }

    /// Whether it answers in JSON where that is asked, by any of the ways its dialect has.
    #[must_use]
    pub fn json(mut self, json: bool) -> Self {
        self.json = json;
        self
    }

    /// Whether a request needs what is not offered.
    pub(super) fn lack(&self, request: &mut Request) -> bool {
        if *self == Self::default() {
            return false;
        }
        let ask = Call::ask(request);
        let pictures = ask.images() && !self.vision;
        let draft = ask.dialect().and_then(|it| Draft::open(it, ask.form, request.body()));
        let Some(needs) = draft.map(|draft| draft.needs()) else { return pictures };
        let tools = needs.tools && !self.tools;
        let large = self.context.is_some_and(|context| needs.tokens > context);
        pictures || tools || large || (needs.json && !self.json)
    }
}

/// The stream that the caller asked for, of an answer that came in one piece; a target that streams all the same is passed
/// on.
pub(super) async fn restream(mut response: Response, ask: &Ask) -> Result<Response, Error> {
    /// As much as is collected of any answer.
    const MOST: usize = 32 << 20;
    let kind = response.headers().get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    if response.body().as_bytes().is_none() && memmem::find(kind, b"json").is_none() {
        return Ok(response);
    }
    let bytes = collect(response.body_mut(), MOST).await?;
    let stream = bytes.and_then(|bytes| ask.dialect()?.stream_of(response, (&bytes, ask)));
    stream.ok_or_else(|| Error::new(Outcome::Malformed))
}
