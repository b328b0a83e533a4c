// The three plots, and the table that has the same numbers by the minute.

import { clock, count, outcomeWords, percent, short, took } from "./format.js";
import { byId, cell, element } from "./dom.js";
import { BANDS, axisEnd, bands, buckets, minutes, quotient, rateUnit, recent, sum } from "./series.js";
import { Plot } from "./plot.js";

/** The bands in words. */
const WORDS = { success: "answered", degraded: "degraded", request: "other", failed: "failed" };

export class Plots {
  constructor() {
    this.unit = { name: "calls/min", words: "calls a minute", of: 60 };
    this.calls = new Plot(byId("plot-calls"), { title: "Calls by outcome", label: short, readout: (it) => this.readCalls(it) });
    this.errors = new Plot(byId("plot-errors"), {
      title: "Errors",
      label: short,
      readout: (it) => `upstream ${count(it.upstream)}, callers ${count(it.callers)}`,
    });
    this.first = new Plot(byId("plot-first"), {
      title: "First content",
      label: took,
      readout: (it) => `p50 ${took(it.p50)}, p95 ${took(it.p95)}`,
    });
    this.table = byId("minutes");
    this.table.addEventListener("toggle", () => this.fill());
  }

  update(snapshot) {
    this.snapshot = snapshot;
    const all = buckets(snapshot);
    this.updateCalls(all);
    this.updateErrors(all);
    this.updateFirst(all);
    this.fill();
  }

  // === calls by outcome ===

  updateCalls(all) {
    this.unit = rateUnit(all);
    const rate = (bucket, calls) => (bucket.seconds >= 1 ? (calls / bucket.seconds) * this.unit.of : null);
    const stacks = BANDS.map((name) => ({ name, values: all.map((it) => rate(it, bands(it.outcomes, it.degraded)[name])) }));
    const heights = all.map((_, i) => stacks.reduce((height, { values }) => height + (values[i] ?? 0), 0));
    const now = recent(this.snapshot);
    const whole = sum(all);
    this.calls.update({
      buckets: all,
      stacks,
      max: axisEnd(Math.max(...heights)),
      unit: this.unit.words,
      now: [
        element("strong", {}, now.seconds < 1 ? "–" : short((now.calls / now.seconds) * this.unit.of)),
        ` ${this.unit.name}`,
        ...legend(BANDS, WORDS),
      ],
      summary: `${count(whole.calls)} calls in 15 min${listOf(whole)}`,
    });
  }

  readCalls(bucket) {
    if (bucket.calls === 0) return "no calls";
    return `${count(bucket.calls)} calls${listOf(bucket)}`;
  }

  // === errors seen by callers against errors upstream ===

  updateErrors(all) {
    const whole = sum(all);
    const share = quotient(whole);
    const values = (key) => all.map((it) => (it.known ? it[key] : null));
    this.errors.update({
      buckets: all,
      lines: [
        { name: "upstream", values: values("upstream") },
        { name: "callers", values: values("callers") },
      ],
      max: axisEnd(Math.max(0, ...all.flatMap((it) => [it.upstream, it.callers])), 4),
      unit: `errors in ${this.snapshot.series.step_s} s`,
      now: [
        ...figure("upstream", count(whole.upstream), "upstream"),
        ...figure("callers", count(whole.callers), "callers"),
        element("span", {}, share === null ? "" : `ratio ${share > 1 ? short(Math.round(share * 10) / 10) : percent(share)}`),
      ],
      summary: `in 15 min: ${count(whole.upstream)} upstream, ${count(whole.callers)} seen by callers`,
    });
  }

  // === first content ===

  updateFirst(all) {
    const known = all.filter(({ p50 }) => p50 !== null);
    const last = known.at(-1);
    const values = (key) => all.map((it) => (it.known ? it[key] : null));
    this.first.update({
      buckets: all,
      lines: [
        { name: "p95", values: values("p95") },
        { name: "p50", values: values("p50") },
      ],
      max: axisEnd(Math.max(0, ...all.flatMap((it) => [it.p50 ?? 0, it.p95 ?? 0])), 100),
      unit: "first content of a stream",
      now: [...figure("p50", took(last?.p50), "p50"), ...figure("p95", took(last?.p95), "p95")],
      summary: last ? `last stream at ${clock(last.start, this.snapshot.now, false)}` : "no stream in 15 min",
    });
  }

  // === the table ===

  fill() {
    if (!this.table.open || !this.snapshot) return;
    const rows = minutes(this.snapshot).map((minute) => {
      const time = element("th", { scope: "row", role: "rowheader" }, clock(minute.start, this.snapshot.now, false));
      if (!minute.known) return element("tr", {}, time, element("td", { colspan: 9 }, "nothing is known"));
      const numbers = [minute.calls, ...BANDS.map((name) => minute.bands[name]), minute.upstream, minute.callers].map(count);
      const texts = [...numbers, took(minute.p50), took(minute.p95)];
      return element("tr", {}, time, ...texts.map((text) => cell("", text)));
    });
    byId("minute-rows").replaceChildren(...rows);
  }
}

/** The outcomes of some calls with their numbers, what is not a success first. */
function listOf({ outcomes, degraded }) {
  const some = Object.entries(outcomes)
    .filter(([label]) => label !== "success")
    .sort(([, a], [, b]) => b - a);
  const texts = some.slice(0, 4).map(([label, number]) => `${count(number)} ${outcomeWords(label)}`);
  if (some.length > 4) texts.push(`${some.length - 4} more outcomes`);
  if (degraded > 0) texts.push(`${count(degraded)} degraded`);
  if (outcomes.success > 0) texts.push(`${count(outcomes.success)} success`);
  return texts.length > 0 ? `: ${texts.join(", ")}` : "";
}

function legend(names, words) {
  return names.map((name) => element("span", { class: `key ${name}` }, words[name]));
}

function figure(name, number, words) {
  return [element("span", { class: `key ${name}` }, `${words} `, element("strong", {}, number))];
}
