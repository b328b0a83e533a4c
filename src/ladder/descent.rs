//! One call on its way down the ladder.

use std::{future::Future, ops::Range, pin::Pin, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::{
    Fallbacks, Rung,
    gate::{Gate, Ticket},
    policy::LadderPolicy,
    race::{self, Raced},
    resume::Below,
    rung::{Failed, Kind},
    service::Ladder,
};
use crate::{
    Error, Request, Response, Upstream,
    classify::{Outcome, Phase, Rejection, judge},
    context::{Call, Deadline, Journey, later},
    dialect::Ask,
    telemetry::{Edited, Event, Skip},
};

/// One call on its way down. Clones are the same call, on another part of the way.
#[derive(Clone)]
pub(super) struct Descent<S> {
    ladder: Ladder<S>,
    ask: Arc<Ask>,
    /// As the caller made it.
    request: Request,
    journey: Journey,
    deadline: Option<Deadline>,
    /// As long as it had for its answer.
    limit: Option<Duration>,
    once: bool,
    /// Nobody is asked any more: only what is answered here is of use.
    late: bool,
}

/// The failure of the first rung, and what the last one came to.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) first: Result<Response, Error>,
    pub(super) last: Outcome,
    pub(super) at: usize,
    /// When it is worth coming back to any of the rungs, as far as they said.
    again: Option<Duration>,
    /// Whether anything was sent.
    sent: bool,
}

/// How long a call waits before it asks again.
struct Pause {
    /// It is known that nobody is back before.
    known: Duration,
    asks: Duration,
}

/// What a part of the way came to.
pub(super) enum End {
    /// An answer, or a failure that is the caller's.
    Told(Result<Response, Error>),
    /// Every rung failed.
    Failed(Failure),
}

pub(super) type Way<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The shortest and the longest time after which a call that waits asks again: our own breaker answers it at no cost.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// Where no rung says when to come back: the first wait, doubled each time, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// As long after the last one the next call that waits asks again, so that they come back one by one.
const APART: Duration = Duration::from_millis(20);

// === impl Descent ===

impl<S: Upstream> Descent<S> {
    pub(super) fn new(mut ladder: Ladder<S>, mut request: Request) -> Self {
        if let Some(own) = request.extensions().get::<Fallbacks>() {
            ladder.policy = Arc::new(ladder.policy.with(own));
        }
        let ask = ladder.policy.ask(&mut request);
        let Call { journey, deadline, once, late, .. } = Call::of(&mut request).clone();
        let limit = deadline.map(|deadline| deadline.left(Instant::now()));
        Self { ladder, ask, request, journey, deadline, limit, once, late }
    }

    /// All the way.
    pub(super) async fn go(mut self) -> Result<Response, Error> {
        let late = self.late.then(|| Failure::of(Outcome::TimedOut { phase: Phase::Deadline }, 0));
        match self.down(0, late).await {
            End::Told(result) => result,
            End::Failed(failure) => failure.first,
        }
    }

    /// From a rung down to the last.
    pub(super) fn down(&mut self, from: usize, failure: Option<Failure>) -> Way<'_, End> {
        let to = self.policy().rungs.len();
        self.part(from..to, failure)
    }

    /// Boxed, as a rung that waits goes the same way again.
    fn part(&mut self, way: Range<usize>, failure: Option<Failure>) -> Way<'_, End> {
        Box::pin(self.rungs(way, failure))
    }

    async fn rungs(&mut self, way: Range<usize>, mut failure: Option<Failure>) -> End {
        let policy = self.policy().clone();
        for at in way {
            let rung = &policy.rungs[at];
            if self.late && !rung.is_instant() {
                self.pass_by(at, Skip::Deadline);
                continue;
            }
            // What stands first is asked whatever it offers, unless another takes the call.
            if at > 0 {
                if let Err(why) = self.fits(rung, failure.as_ref()) {
                    self.pass_by(at, why);
                    continue;
                }
            }
            if let Kind::Stored(most) = rung.kind {
                let call = Call::of(&mut self.request).clone();
                match self.ladder.stored((at, rung), most, &call).await {
                    Some(response) => return End::Told(Ok(response)),
                    None => continue,
                }
            }
            let end = match (&rung.kind, failure.take()) {
                (Kind::Wait, Some(failed)) => self.wait(at, failed).await,
                (_, failed) => match self.ready(at, failed.as_ref()) {
                    Ok(ready) => self.step(at, ready, failed).await,
                    Err(why) => {
                        self.pass_by(at, why);
                        failure = failed;
                        continue;
                    }
                },
            };
            match end {
                End::Told(result) => return End::Told(result),
                End::Failed(failed) => failure = Some(failed),
            }
        }
        match failure {
            Some(failure) => End::Failed(failure),
            // No rung takes it: the first is asked all the same, so that its provider says why.
            None => {
                let ready = (policy.rungs[0].request(self.request(), &self.ask), Edited::default());
                self.step(0, ready, None).await
            }
        }
    }

    fn pass_by(&self, at: usize, why: Skip) {
        let name = self.policy().rungs[at].name.clone();
        self.ladder.events.emit(Event::RungSkipped { rung: at as u16, name, why });
    }

    /// The request for a rung, or why it is passed by.
    fn ready(&mut self, at: usize, failure: Option<&Failure>) -> Result<(Request, Edited), Skip> {
        let policy = self.policy().clone();
        let failed = failure.filter(|_| policy.rungs[0].is_plain()).map(|failure| failure.last);
        let request = self.request_for(at);
        policy.rungs[at].ready(request, &self.ask, failed)
    }

    /// Asks one rung, and those below it where it is a breaker's probe and slow.
    async fn step(&mut self, at: usize, ready: (Request, Edited), failure: Option<Failure>) -> End {
        let result = match self.may_be_raced(at) {
            true => match race::run(self, at, ready).await {
                Raced::Own(result) => result,
                Raced::Below(told) => return End::Told(told),
            },
            false => self.ladder.clone().ask(at, ready, &self.ask).await,
        };
        let outcome = judge(&result).outcome();
        if outcome.is_success() {
            return End::Told(self.watched(at, result));
        }
        if stops(outcome, at) && !self.is_wanted(outcome, at) {
            return End::Told(result);
        }
        End::Failed(Failure::after(failure, result, at))
    }

    /// Whether a rung below is there for that failure by name.
    fn is_wanted(&self, outcome: Outcome, at: usize) -> bool {
        let call = (&*self.ask, &self.request.body()[..]);
        self.policy().rungs[at + 1..].iter().any(|rung| rung.wants(outcome, call))
    }

    /// An answer that those below go on with if it fails while it is read, where the call wants that.
    fn watched(&mut self, at: usize, result: Result<Response, Error>) -> Result<Response, Error> {
        let call = (&self.ask, at);
        match Below::of(&self.ladder, &mut self.request, call, self.limit) {
            Some(below) => result.map(|response| below.watch_over(response)),
            None => result,
        }
    }

    /// Parks the call until a rung above answers it, or its time is over.
    async fn wait(&mut self, at: usize, mut failure: Failure) -> End {
        let gate = self.gate();
        let ticket = gate.ticket();
        let name = self.policy().rungs[at].name.clone();
        self.ladder.events.emit(Event::RungEntered { rung: at as u16, name });
        let mut backoff = BACKOFF.0;
        loop {
            let pause = failure.pause(backoff);
            // What is known to take longer is not waited for.
            if self.until(at).is_some_and(|until| later(Instant::now(), pause.known) >= until) {
                return End::Failed(failure);
            }
            let not_before = later(Instant::now(), pause.asks);
            match self.again(at, (&gate, ticket), not_before).await {
                Some(End::Failed(failed)) => failure = Failure { first: failure.first, ..failed },
                Some(told) => return told,
                None => return End::Failed(failure),
            }
            backoff = (backoff * 2).min(BACKOFF.1);
        }
    }

    /// Asks the rungs above once more, when it is this call's turn and not before then; `None` when its time is over first.
    async fn again(
        &mut self,
        at: usize,
        (gate, ticket): (&Gate, Ticket),
        not_before: Instant,
    ) -> Option<End> {
        let ready = async {
            let turn = gate.turn(ticket).await;
            sleep_until(not_before.max(gate.opens(APART))).await;
            gate.passed();
            turn
        };
        let turn = match self.until(at) {
            Some(until) => timeout_at(until, ready).await.ok()?,
            None => ready.await,
        };
        let mut way = self.part(0..at, None);
        tokio::select! {
            biased;
            end = &mut way => Some(end),
            // It is under way, or in a queue: the next may ask.
            () = sleep(APART) => {
                drop(turn);
                Some(way.await)
            }
        }
    }

    /// The gate of the route that the call asked first: one that is out does not hold up the others.
    fn gate(&self) -> Gate {
        let first = self.journey.attempts().into_iter().next();
        let gates = &self.ladder.gates;
        first.map_or_else(Gate::default, |attempt| gates.of(&attempt.route))
    }

    /// By when a call that waits at a rung gives up, for the sake of those below.
    fn until(&self, at: usize) -> Option<Instant> {
        let deadline = self.deadline?;
        let reserve = self.policy().reserve(at, deadline.left(Instant::now()));
        Some(deadline.less(reserve).instant())
    }

    pub(super) fn policy(&self) -> &Arc<LadderPolicy> {
        &self.ladder.policy
    }

    pub(super) fn ladder(&self) -> &Ladder<S> {
        &self.ladder
    }

    pub(super) fn request(&self) -> Request {
        self.request.clone()
    }

    /// The last rung needs no copy, unless the first may be asked after it.
    fn request_for(&mut self, at: usize) -> Request {
        let rungs = &self.policy().rungs;
        match at + 1 == rungs.len() && !rungs[0].may_pass() {
            true => std::mem::take(&mut self.request),
            false => self.request(),
        }
    }

    pub(super) fn ask(&self) -> &Arc<Ask> {
        &self.ask
    }

    pub(super) fn journey(&self) -> &Journey {
        &self.journey
    }

    fn may_be_raced(&self, at: usize) -> bool {
        let policy = self.policy();
        !self.once && policy.rungs[at].asks() && at + 1 < policy.rungs.len()
    }

    /// Whether a rung is for this failure, and there is time for it. Where nothing was asked yet, the call was too much for
    /// what the rungs so far offer.
    fn fits(&self, rung: &Rung, failure: Option<&Failure>) -> Result<(), Skip> {
        let (outcome, at) = failure.map_or((Outcome::TooLarge, 0), |it| (it.last, it.at));
        let failed = Failed { outcome, offers: &self.policy().rungs[at].offers, at };
        rung.takes((&self.ask, self.request.body()), failed)?;
        if rung.is_instant() {
            return Ok(());
        }
        if self.once {
            return Err(Skip::Once);
        }
        match self.deadline {
            Some(deadline) if deadline.left(Instant::now()).is_zero() => Err(Skip::Deadline),
            _ => Ok(()),
        }
    }
}

// === impl Failure ===

impl Failure {
    /// One more rung has failed.
    fn after(before: Option<Self>, result: Result<Response, Error>, at: usize) -> Self {
        let last = judge(&result).outcome();
        let again = last.wait();
        let sent = !matches!(last, Outcome::Refused { .. });
        match before {
            None => Self { first: result, last, at, again, sent },
            Some(before) => {
                let again = before.again.into_iter().chain(again).min();
                Self { first: before.first, last, at, again, sent: sent || before.sent }
            }
        }
    }

    /// Our own breakers answer at no cost and may be right earlier than they said, so they are asked sooner.
    fn pause(&self, backoff: Duration) -> Pause {
        let known = self.again.unwrap_or_default();
        let asks = self.again.map_or(backoff, |again| again.max(PAUSE.0));
        Pause { known, asks: if self.sent { asks } else { asks.min(PAUSE.1) } }
    }

    /// What a call that did not wait for a rung sees of it: our own refusal, or the end of its time.
    pub(super) fn of(last: Outcome, at: usize) -> Self {
        Self { first: Err(Error::new(last)), last, at, again: None, sent: false }
    }
}

/// Whether the call ends with this failure. On the first rung that is for the outcome to say. Below it a request that a
/// target finds wrong may be right for the next one: the first took no offence.
pub(super) fn stops(outcome: Outcome, at: usize) -> bool {
    let elsewhere = at > 0 && outcome == Outcome::Rejected { why: Rejection::Request };
    !outcome.moves_down() && !elsewhere
}

/// Waits until then; for ever where that is not known.
pub(super) async fn at_last(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
