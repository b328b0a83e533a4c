// Questions before something is changed, and what came of it.

import { outcomeWords, took } from "./format.js";
import { byId, cell, element, setText } from "./dom.js";

/** Asks before something is changed. The answer is true only by the button that says so; Escape and Cancel are no. */
export function confirmed({ title, text, yes }) {
  const dialog = byId("confirm");
  setText(byId("confirm-title"), title);
  setText(byId("confirm-text"), text);
  setText(byId("confirm-yes"), yes);
  dialog.returnValue = "";
  dialog.showModal();
  byId("confirm-no").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** Says what a button has done. */
export function notice(text, bad = false) {
  const line = byId("notice");
  line.classList.toggle("bad", bad);
  setText(line, text);
}

/** Shows the table of a rehearsal, and returns its result in words. */
export function showRehearsal({ ok, targets }) {
  const rows = targets.map(({ name, model, ok, outcome, took_ms: ms, words }) =>
    element(
      "tr",
      { class: ok ? "call-good" : "call-bad" },
      element("th", { scope: "row", role: "rowheader" }, name),
      cell("Model", model || "–"),
      cell("Result", element("span", { class: "outcome" }, `${ok ? "●" : "✕"} ${outcomeWords(outcome)}`)),
      cell("Took", took(ms)),
      cell("Words", words || "–"),
    ),
  );
  const result = ok ? "every target answers" : notAll(targets);
  setText(byId("rehearsal-title"), `Rehearsed: ${result}`);
  byId("rehearsal-rows").replaceChildren(...rows);
  byId("rehearsal").showModal();
  return result;
}

function notAll(targets) {
  const unasked = targets.filter(({ ok, outcome }) => !ok && outcome === null).length;
  const failed = targets.filter(({ ok }) => !ok).length - unasked;
  const all = `of ${targets.length} targets`;
  if (failed === 0) return `${unasked} ${all} not asked`;
  return `${failed} ${all} failed${unasked > 0 ? `, ${unasked} not asked` : ""}`;
}
