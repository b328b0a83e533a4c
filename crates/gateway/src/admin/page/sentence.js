// What is going on now, in one sentence. Pure: the snapshot, the time and the connection are arguments.

import { ago, clock, list, outcomeWords, percent, routeNames, span, until } from "./format.js";
import { answeringNow, recent } from "./series.js";

/** From how many failed calls of all on callers are said to get errors. */
const ERRORS_SHARE = 0.05;

/** The states that are not "closed", the worst first. */
const STATES = ["open", "half-open", "recovering", "forced-open", "forced-closed"];

/**
 * `{ tone, word, text, stable }`. `tone` is the colour: good, warn, bad, idle or lost. `word` says the same in a word.
 * `text` is the sentence; `stable` is the part of it that does not count: what a screen reader announces when it changes.
 */
export function sentence({ snapshot, now, link }) {
  const unlinked = withoutConnection(snapshot, now, link);
  if (unlinked) return unlinked;
  const facts = factsOf(snapshot, now);
  return draining(facts) ?? outage(facts) ?? notClosed(facts) ?? noCalls(facts) ?? closed(facts);
}

// === the parts of a sentence ===

/** A part that changes by the second or with each call: it is not announced, or `stable` is in place of it. */
function ticking(text, stable = "") {
  return { text, stable };
}

function say(tone, word, ...parts) {
  const all = parts.flat(Infinity).map((part) => (typeof part === "string" ? { text: part, stable: part } : part));
  const join = (key) => all.map((part) => part[key]).join("");
  return { tone, word, text: join("text"), stable: join("stable") };
}

function factsOf(snapshot, now) {
  const { routes, order } = snapshot;
  const names = routeNames(routes);
  const answering = answeringNow(snapshot);
  const seen = recent(snapshot);
  const { failed, request } = seen.bands;
  return {
    snapshot,
    now,
    answering,
    seen,
    failed,
    erring: failed > 0 && failed >= seen.calls * ERRORS_SHARE,
    rejected: request * 2 > seen.calls ? request : 0,
    routes: routes.map((route, i) => ({ ...route, name: names[i] })),
    first: order[0]?.name,
    kind: order.find(({ name }) => name === answering?.name)?.kind,
  };
}

// === the cases ===

function withoutConnection(snapshot, now, link) {
  if (link.state === "login") return say("idle", "Signed out", "Sign in to see the state of the gateway.");
  if (link.state !== "lost") return snapshot ? null : say("idle", "Connecting", "Connecting to the gateway.");
  const since = `since ${clock(link.since, now)}`;
  const counted = ticking(` (${span(now - link.since)})`);
  if (!snapshot) return say("lost", "No connection", `The gateway has not answered ${since}`, counted, ".");
  if (snapshot.draining)
    return say("lost", "No connection", "The gateway was draining and has probably ended: no connection ", since, counted, ".");
  return say("lost", "No connection", `No connection to the gateway ${since}`, counted, ". What is shown is old.");
}

function draining({ snapshot, routes }) {
  if (!snapshot.draining) return null;
  const inFlight = routes.reduce((sum, route) => sum + route.in_flight, 0);
  const left = inFlight > 0 ? ticking(` ${inFlight} in flight.`) : "";
  return say("warn", "Draining", "Draining: new calls are refused, and the gateway ends when the calls in flight have.", left);
}

/** Calls came, and none of them was answered. */
function outage(facts) {
  const { seen, failed, routes } = facts;
  if (failed === 0 || seen.bands.success + seen.bands.degraded > 0) return null;
  const refused = routes.filter(({ state }) => state === "open" || state === "forced-open");
  const open = refused.length > 0 ? [" ", stateClause(refused[0].state, refused, facts), probe(refused, facts), "."] : [];
  return say("bad", "Outage", "Nobody answers: callers get errors", ticking(` (${failed} in the last 30 s)`), ".", open);
}

function notClosed(facts) {
  const troubled = facts.routes.filter(({ state }) => state !== "closed");
  if (troubled.length === 0) return null;
  const worst = STATES.find((state) => troubled.some((route) => route.state === state)) ?? troubled[0].state;
  const group = troubled.filter(({ state }) => state === worst);
  const rest = troubled.length - group.length;
  return say(
    ...badge(facts, word(worst)),
    stateClause(worst, group, facts),
    answers(facts, "; "),
    probe(group, facts),
    rest > 0 ? `; ${rest} more ${rest === 1 ? "route is" : "routes are"} not closed` : "",
    errors(facts, "; "),
    ".",
  );
}

function noCalls({ snapshot }) {
  if (snapshot.calls.length > 0 || snapshot.series.calls.some((calls) => calls > 0)) return null;
  return say("idle", "Ready", `No calls yet: ${snapshot.listen} is ready.`);
}

/** All routes are closed, which is not yet well. */
function closed(facts) {
  const { now, answering, seen, erring, first } = facts;
  const half = facts.failed * 2 > seen.calls;
  if (erring) return say(half ? "bad" : "warn", "Errors", "All routes are closed, but ", errors(facts, ""), ".");
  const limited = facts.routes.filter(({ limited_until: until }) => until > now);
  if (limited.length > 0) return say("warn", "Limited", limits(limited, facts), answers(facts, "; "), ".");
  if (facts.rejected > 0) return rejected(facts);
  if (seen.calls === 0) return quiet(facts);
  if (answering?.degraded) {
    const instead = facts.kind === "target" ? ` in place of ${first}` : "";
    return say(...badge(facts, "Degraded"), "All routes are closed, but ", answers(facts, ""), instead, ".");
  }
  return say("good", "All well", "All routes are closed", answers(facts, ": "), ".", waiting(facts));
}

function rejected({ rejected, seen }) {
  const some = ticking(` (${rejected} of ${seen.calls} calls in the last 30 s)`);
  const most = "most requests are rejected for what they ask, or left by their callers";
  return say("warn", "Rejected", `All routes are closed, but ${most}`, some, ".");
}

function quiet(facts) {
  const { snapshot, now, answering } = facts;
  const last = snapshot.calls[0];
  const then = last ? ticking(` The last one was ${ago(last.at, now)}: ${outcomeWords(last.outcome)}.`) : "";
  const idle = ticking(". No call in the last 30 s.", `: ${answering ? nameOf(facts) : "no call yet"}.`);
  return say("good", "All well", "All routes are closed", idle, then);
}

// === clauses ===

/** The tone and the word. A canned reply to most calls is no outage, and no target answers all the same. */
function badge({ erring, kind, seen }, otherwise) {
  if (erring) return ["bad", "Errors"];
  return kind === "canned" && seen.calls > 0 ? ["bad", "Canned"] : ["warn", otherwise];
}

function word(state) {
  return { "half-open": "Probing", recovering: "Recovering", "forced-closed": "Forced" }[state] ?? "Degraded";
}

/** What some routes are together: a provider where they are all that it has. */
function subject(group, { routes }) {
  const whole = (provider) => routes.every((route) => route.provider !== provider || group.includes(route));
  const names = new Set(group.map(({ provider, name }) => (whole(provider) ? provider : name)));
  return `${list([...names])} ${names.size === 1 ? "is" : "are"}`;
}

function stateClause(state, group, facts) {
  const { now } = facts;
  const they = subject(group, facts);
  const since = `since ${clock(Math.min(...group.map(({ since }) => since)), now, false)}`;
  const reasons = new Set(group.map(({ reason }) => reason));
  const reason = reasons.size === 1 && group[0].reason ? ` (${group[0].reason})` : "";
  switch (state) {
    case "half-open":
      return [`${they} half-open ${since}: one call at a time probes`];
    case "recovering":
      return [`${they} recovering ${since}`, ticking(` (${percent(Math.min(...group.map(({ share }) => share)))} of the calls)`)];
    case "forced-open":
      return [`${they} forced open ${since}: no call is sent until a reset`];
    case "forced-closed":
      return [`${they} forced closed ${since}: failures stop nothing until a reset`];
    default:
      return [`${they} ${state} ${since}${reason}`];
  }
}

/** Who answers; nothing where most calls fail. Without a call the last one who did is announced, so that a quiet hour is. */
function answers(facts, before) {
  const { answering, seen } = facts;
  const name = answering ? `${before}${nameOf(facts)}` : "";
  return seen.calls > 0 ? name : ticking(`${before}no call in the last 30 s`, name);
}

/** Routes whose provider wants no calls for a while, which opens no breaker. */
function limits(limited, facts) {
  const { now } = facts;
  const soonest = Math.min(...limited.map(({ limited_until: until }) => until));
  return [`${subject(limited, facts)} rate limited`, ticking(`, calls again ${until(soonest, now)}`)];
}

function nameOf({ snapshot: { upstream }, answering, kind, first }) {
  if (kind === "canned") return `callers get the canned reply "${answering.name}"`;
  if (kind === "stored") return "callers get stored answers";
  // The name that a target has where the configuration gives none.
  const name = answering.name === "primary" && first === "primary" ? upstream : answering.name;
  return `${name} answers`;
}

/** When the first of the routes is asked again. */
function probe(group, { now }) {
  const times = group.map(({ back_at: at }) => at).filter((at) => at !== null && at !== undefined);
  if (times.length === 0) return "";
  const soonest = Math.min(...times);
  return ticking(soonest <= now ? "; the next call probes" : `; next probe ${until(soonest, now)}`);
}

function errors({ erring, failed, seen }, before) {
  if (!erring) return "";
  return [`${before}callers get errors`, ticking(` (${failed} of ${seen.calls} calls in the last 30 s)`)];
}

function waiting({ routes }) {
  const calls = routes.reduce((sum, route) => sum + route.waiting, 0);
  return calls > 0 ? ticking(` ${calls} ${calls === 1 ? "call waits" : "calls wait"} for a limit.`) : "";
}
