// The pure parts of the operator's page: `node --test crates/gateway/tests/page/page.test.mjs`.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../../src/admin/page/format.js";
import { sentence } from "../../src/admin/page/sentence.js";
import * as series from "../../src/admin/page/series.js";

const MINUTE = 60_000;
const STEP = 10_000;
/** Noon, local time, in the middle of a bucket. */
const NOW = new Date(2026, 4, 20, 12, 0, 5).getTime();
const LIVE = { state: "live", since: NOW - MINUTE };

// === fixtures ===

function route(changes = {}) {
  const healthy = { state: "closed", reason: "", since: NOW - 60 * MINUTE, back_at: null, share: 1, failures_in_a_row: 0, in_flight: 0, waiting: 0 };
  return { id: "r1", provider: "api.openai.com", model: "gpt", operation: "", credential: "k", ...healthy, ...changes };
}

const OPEN = { state: "open", reason: "5 failed calls in a row", since: NOW - 5 - 3 * MINUTE, back_at: NOW + 12_000, share: 0 };

/** `last` sets the newest whole bucket: how many calls came to which outcome. */
function snapshot({ last = {}, degraded = 0, callers = 0, upstream = 0, ...changes } = {}) {
  const column = (value) => Array.from({ length: 90 }, (_, i) => (i === 88 ? value : 0));
  const calls = Object.values(last).reduce((sum, count) => sum + count, 0);
  const outcomes = Object.fromEntries(Object.entries(last).map(([label, count]) => [label, column(count)]));
  return {
    version: "1",
    started_at: NOW - 120 * MINUTE,
    now: NOW,
    draining: false,
    listen: "127.0.0.1:8080",
    upstream: "api.openai.com",
    order: [{ name: "openai", kind: "target" }, { name: "azure", kind: "target" }, { name: "kept", kind: "stored" }, { name: "sorry", kind: "canned" }],
    answering: { name: "openai", since: NOW - MINUTE, degraded: false },
    routes: [route()],
    series: {
      step_s: 10,
      from: Math.floor(NOW / STEP) * STEP - 89 * STEP,
      calls: column(calls),
      attempts: column(calls),
      errors_callers: column(callers),
      errors_upstream: column(upstream),
      degraded: column(degraded),
      outcomes,
      first_content_ms: { p50: Array(90).fill(null), p95: Array(90).fill(null) },
    },
    calls: [],
    ...changes,
  };
}

function said(changes, link = LIVE) {
  return sentence({ snapshot: snapshot(changes), now: NOW, link });
}

// === sentence ===

const AZURE = { name: "azure", since: NOW - MINUTE, degraded: true };

for (const [name, changes, tone, word, text] of [
  ["all is well", { last: { success: 9 } }, "good", "All well", "All routes are closed: openai answers."],
  ["the first target has no name of its own", { last: { success: 9 }, order: [{ name: "primary", kind: "target" }], answering: { name: "primary", since: 0, degraded: false } }, "good", "All well", "All routes are closed: api.openai.com answers."],
  ["calls wait for a limit", { last: { success: 9 }, routes: [route({ waiting: 2 })] }, "good", "All well", "All routes are closed: openai answers. 2 calls wait for a limit."],
  ["nothing was called yet", {}, "idle", "Ready", "No calls yet: 127.0.0.1:8080 is ready."],
  ["nobody has called for a while", { calls: [{ at: NOW - 5 * MINUTE, outcome: "success" }] }, "good", "All well", "All routes are closed. No call in the last 30 s. The last one was 5 min ago: success."],
  ["a fallback answers with all routes closed", { last: { success: 9 }, degraded: 9, answering: AZURE }, "warn", "Degraded", "All routes are closed, but azure answers in place of openai."],
  ["a canned reply answers", { last: { success: 9 }, degraded: 9, answering: { ...AZURE, name: "sorry" } }, "bad", "Canned", 'All routes are closed, but callers get the canned reply "sorry".'],
  ["a canned reply answers for an open route", { last: { success: 9 }, degraded: 9, routes: [route(OPEN)], answering: { ...AZURE, name: "sorry" } }, "bad", "Canned", 'api.openai.com is open since 11:57 (5 failed calls in a row); callers get the canned reply "sorry"; next probe in 12 s.'],
  ["stored answers are served", { last: { success: 9 }, degraded: 9, answering: { ...AZURE, name: "kept" } }, "warn", "Degraded", "All routes are closed, but callers get stored answers."],
  ["some callers get errors", { last: { success: 9, unavailable: 1 }, callers: 1 }, "warn", "Errors", "All routes are closed, but callers get errors (1 of 10 calls in the last 30 s)."],
  ["most callers get errors", { last: { success: 2, unavailable: 8 }, callers: 8 }, "bad", "Errors", "All routes are closed, but callers get errors (8 of 10 calls in the last 30 s)."],
  ["an error in many calls is no news", { last: { success: 99, unavailable: 1 }, callers: 1 }, "good", "All well", "All routes are closed: openai answers."],
  ["a route is open", { last: { success: 9 }, degraded: 9, routes: [route(OPEN)], answering: AZURE }, "warn", "Degraded", "api.openai.com is open since 11:57 (5 failed calls in a row); azure answers; next probe in 12 s."],
  ["the probe is due", { last: { success: 9 }, routes: [route({ ...OPEN, back_at: NOW - 1 })], answering: AZURE }, "warn", "Degraded", "api.openai.com is open since 11:57 (5 failed calls in a row); azure answers; the next call probes."],
  ["a route is open and nobody calls", { routes: [route({ ...OPEN, reason: "" })], answering: null }, "warn", "Degraded", "api.openai.com is open since 11:57; no call in the last 30 s; next probe in 12 s."],
  ["a route is open and some callers get errors", { last: { success: 5, timed_out: 5 }, callers: 5, routes: [route(OPEN)], answering: AZURE }, "bad", "Errors", "api.openai.com is open since 11:57 (5 failed calls in a row); azure answers; next probe in 12 s; callers get errors (5 of 10 calls in the last 30 s)."],
  ["routes of one provider are told apart", { last: { success: 9 }, routes: [route(OPEN), route({ model: "mini" })], answering: AZURE }, "warn", "Degraded", "gpt at api.openai.com is open since 11:57 (5 failed calls in a row); azure answers; next probe in 12 s."],
  ["all routes of a provider are open", { last: { success: 9 }, routes: [route(OPEN), route({ ...OPEN, model: "mini" }), route({ provider: "b" })], answering: AZURE }, "warn", "Degraded", "api.openai.com is open since 11:57 (5 failed calls in a row); azure answers; next probe in 12 s."],
  ["several routes are open for different reasons", { last: { success: 9 }, routes: [route(OPEN), route({ ...OPEN, provider: "b", reason: "slow", back_at: NOW + 3000 }), route({ ...OPEN, provider: "c" })], answering: AZURE }, "warn", "Degraded", "api.openai.com, b and 1 more are open since 11:57; azure answers; next probe in 3 s."],
  ["a route is half-open", { last: { success: 9 }, routes: [route({ ...OPEN, state: "half-open", back_at: null })], answering: AZURE }, "warn", "Probing", "api.openai.com is half-open since 11:57: one call at a time probes; azure answers."],
  ["a route is recovering", { last: { success: 9 }, routes: [route({ ...OPEN, state: "recovering", back_at: null, share: 0.4 })] }, "warn", "Recovering", "api.openai.com is recovering since 11:57 (40 % of the calls); openai answers."],
  ["a route is forced open", { last: { success: 9 }, routes: [route({ ...OPEN, state: "forced-open", back_at: null })], answering: AZURE }, "warn", "Degraded", "api.openai.com is forced open since 11:57: no call is sent until a reset; azure answers."],
  ["a route is forced closed", { last: { success: 9 }, routes: [route({ state: "forced-closed", since: NOW - 5 })] }, "warn", "Forced", "api.openai.com is forced closed since 12:00: failures stop nothing until a reset; openai answers."],
  ["the worst state is named first", { last: { success: 9 }, routes: [route({ provider: "b", state: "recovering" }), route(OPEN)], answering: AZURE }, "warn", "Degraded", "api.openai.com is open since 11:57 (5 failed calls in a row); azure answers; next probe in 12 s; 1 more route is not closed."],
  ["a state of a later version is shown as it is", { last: { success: 9 }, routes: [route({ state: "odd" })] }, "warn", "Degraded", "api.openai.com is odd since 11:00; openai answers."],
  ["nobody answers", { last: { unavailable: 7, rejected: 1 }, callers: 8, answering: null }, "bad", "Outage", "Nobody answers: callers get errors (7 in the last 30 s)."],
  ["nobody answers and the route is open", { last: { unavailable: 7 }, callers: 7, routes: [route(OPEN)], answering: null }, "bad", "Outage", "Nobody answers: callers get errors (7 in the last 30 s). api.openai.com is open since 11:57 (5 failed calls in a row); next probe in 12 s."],
  ["nobody is left to answer most calls", { last: { success: 2, unavailable: 7 }, callers: 7, routes: [route({ ...OPEN, back_at: null })], answering: null }, "bad", "Errors", "api.openai.com is open since 11:57 (5 failed calls in a row); callers get errors (7 of 9 calls in the last 30 s)."],
  ["a client that sends nonsense is no outage", { last: { rejected: 3 }, callers: 3 }, "warn", "Rejected", "All routes are closed, but most requests are rejected for what they ask, or left by their callers (3 of 3 calls in the last 30 s)."],
  ["some rejected requests are no news", { last: { success: 3, rejected: 3 }, callers: 3 }, "good", "All well", "All routes are closed: openai answers."],
  ["a provider limits the rate", { last: { success: 9 }, routes: [route({ limited_until: NOW + 12_000 })], answering: AZURE }, "warn", "Limited", "api.openai.com is rate limited, calls again in 12 s; azure answers."],
  ["a limit is over", { last: { success: 9 }, routes: [route({ limited_until: NOW - 1 })] }, "good", "All well", "All routes are closed: openai answers."],
  ["the gateway drains", { last: { success: 9 }, draining: true, routes: [route({ ...OPEN, in_flight: 4 })] }, "warn", "Draining", "Draining: new calls are refused, and the gateway ends when the calls in flight have. 4 in flight."],
]) {
  test(`sentence: ${name}`, () => {
    const { stable, ...rest } = said(changes);
    assert.deepEqual(rest, { tone, word, text });
    assert.ok(stable.length > 0 && text.startsWith(stable.slice(0, 10)));
  });
}

test("sentence: a lost connection comes before everything else", () => {
  const lost = { state: "lost", since: NOW - 12_000 };
  assert.equal(said({}, lost).text, "No connection to the gateway since 11:59:53 (12 s). What is shown is old.");
  assert.equal(said({}, lost).tone, "lost");
  assert.match(said({ draining: true }, lost).text, /was draining and has probably ended/);
  assert.match(sentence({ snapshot: null, now: NOW, link: lost }).text, /has not answered since 11:59:53/);
});

test("sentence: without a token or a snapshot it says so", () => {
  assert.equal(said({}, { state: "login", since: NOW }).word, "Signed out");
  for (const state of ["connecting", "live"]) assert.equal(sentence({ snapshot: null, now: NOW, link: { state, since: NOW } }).word, "Connecting");
});

test("sentence: a quiet minute is not announced", () => {
  const quiet = said({ calls: [{ at: NOW - MINUTE, outcome: "success" }] });
  assert.match(quiet.text, /No call in the last 30 s/);
  assert.equal(quiet.stable, said({ last: { success: 9 } }).stable);
  const open = { routes: [route(OPEN)], answering: AZURE };
  assert.equal(said(open).stable, said({ ...open, last: { success: 9 } }).stable);
});

test("sentence: what is announced does not change by the second", () => {
  const changes = snapshot({ last: { success: 5, timed_out: 5 }, callers: 5, routes: [route(OPEN)], answering: AZURE });
  const at = (now) => sentence({ snapshot: changes, now, link: LIVE });
  assert.notEqual(at(NOW).text, at(NOW + 1000).text);
  assert.equal(at(NOW).stable, at(NOW + 1000).stable);
  assert.equal(at(NOW).stable, "api.openai.com is open since 11:57 (5 failed calls in a row); azure answers; callers get errors.");
});

// === series ===

test("series: what was before the start and what is to come are gaps", () => {
  const young = snapshot({ last: { success: 4 }, started_at: NOW - 25_000 });
  const known = series.buckets(young).map(({ known, seconds }) => (known ? seconds : null));
  assert.deepEqual(known.slice(-4), [null, 10, 10, 5]);
  assert.ok(known.slice(0, -3).every((seconds) => seconds === null));
  young.now -= 2 * STEP;
  assert.deepEqual(series.buckets(young).slice(-2).map(({ known }) => known), [false, false]);
});

test("series: degraded answers are taken out of the successes, and requests' own faults out of the failures", () => {
  const outcomes = { success: 10, unavailable: 2, timed_out: 1, rejected: 3, cancelled: 1, of_a_later_version: 1 };
  assert.deepEqual(series.bands(outcomes, 4), { success: 6, degraded: 4, request: 4, failed: 4 });
  assert.equal(series.bands({ success: 1 }, 2).success, 0);
});

test("series: the last 30 s are what the sentence judges", () => {
  const some = snapshot({ last: { success: 4 } });
  some.series.calls[80] = 1000;
  assert.equal(series.recent(some).calls, 4);
  assert.deepEqual([5, 14, 15].map((seconds) => series.recent({ ...some, now: NOW + seconds * 1000 }).calls), [4, 4, 0]);
});

test("series: who answers is seen from the last calls before it is from the last half minute", () => {
  const call = (seconds, name, degraded = null) => ({ at: NOW - seconds * 1000, served_by: name, degraded });
  const now = (...calls) => series.answeringNow(snapshot({ calls }));
  assert.equal(now().name, "openai");
  assert.deepEqual(now(call(1, "azure", "fallback"), call(2, "azure", "fallback"), call(3, "openai"), call(4, null)), { name: "azure", degraded: true });
  assert.deepEqual(now(call(20, "azure", "fallback")).name, "openai");
});

test("series: minutes have the sums of their buckets and the largest percentile", () => {
  const some = snapshot({ last: { success: 4 }, upstream: 3 });
  some.series.first_content_ms.p95[86] = 900;
  some.series.first_content_ms.p95[88] = 700;
  const rows = series.minutes(some);
  assert.equal(rows.length, 15);
  const { calls, upstream, p50, p95, bands } = rows.at(-1);
  assert.deepEqual({ calls, upstream, p50, p95, success: bands.success }, { calls: 4, upstream: 3, p50: null, p95: 900, success: 4 });
});

test("series: the quotient has no value where nothing failed upstream", () => {
  assert.equal(series.quotient({ callers: 2, upstream: 312 }), 2 / 312);
  assert.equal(series.quotient({ callers: 0, upstream: 0 }), null);
});

test("series: a rate is by the second or by the minute, and an axis ends at a round number", () => {
  assert.equal(series.rateUnit([{ calls: 5, seconds: 10 }]).of, 60);
  assert.equal(series.rateUnit([{ calls: 5, seconds: 10 }, { calls: 10, seconds: 10 }]).of, 1);
  assert.equal(series.rateUnit([{ calls: 5, seconds: 0.1 }]).of, 60);
  assert.deepEqual([0, 1, 1.2, 3, 7, 10, 340].map((it) => series.axisEnd(it)), [1, 1, 2, 5, 10, 10, 500]);
});

// === format ===

test("format: ago, until and span", () => {
  const ago = [0, 999, -5000, 1000, 61_000, 3_600_000, 3_660_000, 90_000_000].map((ms) => format.ago(NOW - ms, NOW));
  assert.deepEqual(ago, ["just now", "just now", "just now", "1 s ago", "1 min 1 s ago", "1 h ago", "1 h 1 min ago", "1 d 1 h ago"]);
  assert.deepEqual([-1, 0, 1, 11_001].map((ms) => format.until(NOW + ms, NOW)), ["now", "now", "in 1 s", "in 12 s"]);
  assert.equal(format.age(NOW - 90_000, NOW), "1 min ago");
  assert.deepEqual([null, undefined, 0, 850, 1770, 61_000].map(format.took), ["–", "–", "0 ms", "850 ms", "1.77 s", "1 min 1 s"]);
});

test("format: the time of day has the date where it is of another day", () => {
  assert.equal(format.clock(NOW, NOW), "12:00:05");
  assert.equal(format.clock(NOW - 24 * 60 * MINUTE, NOW, false), "2026-05-19 12:00");
  assert.equal(format.shortClock(NOW - 24 * 60 * MINUTE, NOW), "2026-05-19");
});

test("format: a share is zero or all only when it is", () => {
  assert.deepEqual([0, 0.0001, 0.0064, 0.42, 0.996, 1, 2].map(format.percent), ["0 %", "< 0.1 %", "0.6 %", "42 %", "> 99 %", "100 %", "200 %"]);
});

test("format: routes get the shortest name that is theirs alone", () => {
  const named = (changes) => route({ provider: "a", ...changes });
  const routes = [named(), named({ operation: "embeddings" }), named({ model: "mini" }), named({ model: "mini", credential: "k2" }), named({ provider: "b" }), named({ provider: "c", model: "" })];
  assert.deepEqual(format.routeNames(routes), ["gpt at a [k]", "gpt at a (embeddings)", "mini at a [k]", "mini at a [k2]", "b", "c"]);
});

test("format: outcomes and states are words", () => {
  assert.deepEqual(["timed_out", "broken", "refused", "success"].map(format.outcomeWords), ["timed out", "connection lost", "not sent", "success"]);
  assert.equal(format.stateWords("forced-open"), "forced open");
});
