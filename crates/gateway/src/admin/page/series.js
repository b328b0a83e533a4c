// What the counts of the last 15 minutes say. Pure.

/** The outcomes that are about the request or its caller: no other target would have helped. */
export const REQUEST = new Set(["rejected", "declined", "too_large", "blocked", "cancelled"]);

/** The bands of the plot of outcomes, from the bottom up. */
export const BANDS = ["success", "degraded", "request", "failed"];

/**
 * One object for each bucket. `known` is false before the process was started and after now: such a bucket is a gap, not
 * a zero. `seconds` is how much of the bucket has been counted.
 */
export function buckets({ series, started_at: started, now }) {
  const step = series.step_s * 1000;
  return series.calls.map((calls, i) => {
    const start = series.from + i * step;
    const counted = Math.min(start + step, now) - Math.max(start, started);
    return {
      start,
      end: start + step,
      seconds: Math.max(0, counted) / 1000,
      known: counted > 0,
      calls,
      attempts: series.attempts[i] ?? 0,
      callers: series.errors_callers[i] ?? 0,
      upstream: series.errors_upstream[i] ?? 0,
      degraded: series.degraded[i] ?? 0,
      outcomes: outcomesAt(series.outcomes, i),
      p50: series.first_content_ms.p50[i] ?? null,
      p95: series.first_content_ms.p95[i] ?? null,
    };
  });
}

function outcomesAt(outcomes, i) {
  const counts = Object.entries(outcomes).map(([label, counts]) => [label, counts[i] ?? 0]);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

/** The calls of some buckets by band. A degraded answer is a success of another target, so it is taken out of `success`. */
export function bands(outcomes, degraded) {
  const result = { success: 0, degraded, request: 0, failed: 0 };
  for (const [label, count] of Object.entries(outcomes)) {
    if (label === "success") result.success = Math.max(0, count - degraded);
    else result[REQUEST.has(label) ? "request" : "failed"] += count;
  }
  return result;
}

/** The sums of some buckets. The percentiles are the largest, since percentiles have no sum. */
export function sum(some) {
  const total = { seconds: 0, calls: 0, attempts: 0, callers: 0, upstream: 0, degraded: 0 };
  const result = { ...total, known: false, outcomes: {}, p50: null, p95: null };
  for (const bucket of some.filter(({ known }) => known)) {
    result.known = true;
    for (const key of Object.keys(total)) result[key] += bucket[key];
    for (const [label, count] of Object.entries(bucket.outcomes)) result.outcomes[label] = (result.outcomes[label] ?? 0) + count;
    for (const key of ["p50", "p95"]) if (bucket[key] !== null) result[key] = Math.max(result[key] ?? 0, bucket[key]);
  }
  return { ...result, bands: bands(result.outcomes, result.degraded) };
}

/** The sums of the last 20 to 30 s: whole buckets, and the one that is under way. */
export function recent(snapshot) {
  return sum(buckets(snapshot).filter(({ end }) => end > snapshot.now - 20_000));
}

/**
 * Who answers now: whoever answered most of the calls of the last 10 s. Without one it is what the snapshot has, which looks
 * back further and so is late to see a change.
 */
export function answeringNow({ answering, calls, now }) {
  const served = new Map();
  for (const { at, served_by: name, degraded } of calls) {
    if (at <= now - 10_000 || !name) continue;
    const seen = served.get(name) ?? { name, degraded: degraded !== null, calls: 0 };
    served.set(name, { ...seen, calls: seen.calls + 1 });
  }
  const [most] = [...served.values()].sort((a, b) => b.calls - a.calls);
  return most ? { name: most.name, degraded: most.degraded } : answering;
}

/** The sums of each minute: what a table has. */
export function minutes(snapshot) {
  const all = buckets(snapshot);
  const size = Math.max(1, Math.round(60 / snapshot.series.step_s));
  const rows = [];
  for (let i = 0; i < all.length; i += size) rows.push({ start: all[i].start, ...sum(all.slice(i, i + size)) });
  return rows;
}

/** Errors that callers saw for each error upstream; null where there is nothing to divide by. */
export function quotient({ callers, upstream }) {
  return upstream > 0 ? callers / upstream : null;
}

/** Calls a second, or a minute where a second has less than one. */
export function rateUnit(all) {
  const rates = all.filter(({ seconds }) => seconds >= 1).map(({ calls, seconds }) => calls / seconds);
  return Math.max(0, ...rates) >= 1
    ? { name: "calls/s", words: "calls a second", of: 1 }
    : { name: "calls/min", words: "calls a minute", of: 60 };
}

/** The end of an axis: 1, 2 or 5 times a power of ten, at least `least`. */
export function axisEnd(largest, least = 1) {
  const wanted = Math.max(largest, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return [1, 2, 5, 10].map((factor) => factor * power).find((end) => end >= wanted * 0.999999);
}
