// The last hundred calls, the newest first. A row opens to its attempts. What is open, focused or scrolled to stays.

import { clock, count, outcomeWords, took } from "./format.js";
import { REQUEST } from "./series.js";
import { arrange, byId, cell, element, setAttributes, setText } from "./dom.js";

/** How many rows were made: their identifiers in the document. */
let made = 0;

export class Calls {
  constructor() {
    this.rows = new Map();
    this.body = byId("call-rows");
    this.scroller = byId("call-scroll");
    this.filter = byId("only-bad");
    this.filter.addEventListener("change", () => this.arrange());
    this.newest = byId("newest");
    this.newest.addEventListener("click", () => this.toNewest());
    this.scroller.addEventListener("scroll", () => (this.newest.hidden = this.scroller.scrollTop === 0));
  }

  update(snapshot, now) {
    const rows = new Map();
    for (const call of snapshot.calls) {
      // Identifiers may begin anew when the gateway does.
      const key = `${call.at} ${call.id}`;
      rows.set(key, this.rows.get(key) ?? newRow(call, now));
    }
    // A call that is open stays until it is closed, even when it is not among the last hundred any more.
    for (const [key, entry] of this.rows) {
      if (!entry.open || rows.has(key)) continue;
      entry.gone = true;
      rows.set(key, entry);
    }
    this.rows = rows;
    this.arrange();
  }

  arrange() {
    const all = [...this.rows.values()];
    const shown = all.filter((entry) => entry.open || !this.filter.checked || isBad(entry.call));
    const seen = this.inView();
    arrange(
      this.body,
      shown.flatMap(({ row, detail, open }) => (open ? [row, detail] : [row])),
    );
    if (seen?.row.isConnected) this.scroller.scrollTop += seen.row.getBoundingClientRect().top - seen.top;
    const among = (entries) => count(entries.filter(({ gone }) => !gone).length);
    const words = all.length === 0 ? "none yet" : `${among(shown)} of the last ${among(all)}`;
    setText(byId("call-count"), words);
    byId("call-table").hidden = shown.length === 0;
    byId("call-none").hidden = all.length === 0 || shown.length > 0;
    for (const entry of all) entry.toggled = () => this.arrange();
  }

  toNewest() {
    byId("calls-heading").focus();
    this.scroller.scrollTop = 0;
  }

  /** The row that new rows are not to move, and where it is: one that is used, or the first that is scrolled to. */
  inView() {
    const { top, bottom } = this.scroller.getBoundingClientRect();
    const seen = [...this.body.children].filter((row) => {
      const at = row.getBoundingClientRect();
      return at.bottom > top && at.top < bottom;
    });
    const used =
      seen.find((row) => row.contains(document.activeElement)) ?? seen.find((row) => row.querySelector("[aria-expanded=true]"));
    const row = used ?? (this.scroller.scrollTop > 0 ? seen[0] : null);
    return row ? { row, top: row.getBoundingClientRect().top } : null;
  }
}

/** A sign beside the word, so that it is seen without its colour. */
const SIGNS = { bad: "✕", other: "○", warn: "▲", good: "●" };

function toneOf({ outcome, degraded }) {
  if (outcome !== "success") return REQUEST.has(outcome) ? "other" : "bad";
  return degraded === null ? "good" : "warn";
}

function isBad({ outcome, degraded }) {
  return outcome !== "success" || degraded !== null;
}

function newRow(call, now) {
  const id = `attempts-${(made += 1)}`;
  const button = element("button", { type: "button", class: "open", "aria-expanded": "false" }, clock(call.at, now));
  setAttributes(button, { "aria-label": `${clock(call.at, now)}: attempts` });
  const tone = toneOf(call);
  const row = element(
    "tr",
    { class: `call-${tone}` },
    element("th", { scope: "row", role: "rowheader" }, button),
    cell("Model", element("span", { title: call.model }, call.model || "–")),
    cell("Served by", element("span", {}, servedBy(call))),
    cell("Outcome", element("span", { class: "outcome" }, `${SIGNS[tone]} ${outcomeWords(call.outcome)}${withStatus(call)}`)),
    cell("Attempts", count(call.attempts.length + (call.attempts_more ?? 0))),
    cell("Total", took(call.total_ms)),
    cell("First content", took(call.first_content_ms)),
  );
  const entry = { call, row, detail: null, open: false };
  button.addEventListener("click", () => toggle(entry, button, id));
  return entry;
}

function toggle(entry, button, id) {
  entry.open = !entry.open;
  entry.detail ??= newDetail(entry.call, id);
  setAttributes(button, { "aria-expanded": String(entry.open), "aria-controls": entry.open ? id : null });
  entry.toggled();
}

function servedBy({ served_by: name, degraded }) {
  if (!name) return "nobody";
  return degraded ? `${name} (${degraded})` : name;
}

function withStatus({ status }) {
  return status ? ` ${status}` : "";
}

function newDetail(call, id) {
  const kind = [call.dialect, call.stream ? "streamed" : "not streamed", `call ${call.id}`].filter(Boolean).join(", ");
  const more = call.attempts_more > 0 ? `, and ${count(call.attempts_more)} more` : "";
  const sent = call.attempts.length > 0;
  const caption = element("caption", {}, sent ? `${kind}: attempts${more}` : `${kind}: nothing was sent`);
  const heads = ["Attempt", "Target", "Model", "Outcome", "Waited", "Took"];
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col", role: "columnheader" }, text)));
  const parts = [element("thead", {}, head), element("tbody", {}, ...call.attempts.map(attemptRow))];
  const table = element("table", { class: "attempts" }, caption, ...(sent ? parts : []));
  return element("tr", { id, class: "detail" }, element("td", { colspan: 7 }, table));
}

function attemptRow(attempt, i) {
  const nth = element("th", { scope: "row", role: "rowheader" }, String(i + 1));
  const cells = [
    cell("Target", attempt.target ?? "–"),
    cell("Model", attempt.model || "–"),
    cell("Outcome", `${outcomeWords(attempt.outcome)}${withStatus(attempt)}`),
    cell("Waited", took(attempt.waited_ms)),
    cell("Took", took(attempt.took_ms)),
  ];
  return element("tr", {}, nth, ...cells);
}
