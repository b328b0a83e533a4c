// Shortcuts of one key. They can be switched off, since speech input types single keys.

import { byId } from "./dom.js";

const STORED = "evenkeel-shortcuts";

/** Elements that take keys as text. */
const TYPING = "input:not([type=checkbox]), textarea, select";

export function listenForKeys() {
  const enabled = byId("shortcuts");
  enabled.checked = stored() !== "off";
  enabled.addEventListener("change", () => store(enabled.checked ? "on" : "off"));
  byId("help-button").addEventListener("click", () => byId("help").showModal());
  document.addEventListener("keydown", (event) => {
    const typed = event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(TYPING);
    if (typed || !enabled.checked || document.querySelector("dialog[open]") || byId("parts").hidden) return;
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

const KEYS = {
  "?": () => byId("help").showModal(),
  r: () => go("routes"),
  p: () => go("plots"),
  c: () => go("calls"),
  f: () => byId("only-bad").click(),
  t: () => (byId("minutes").open = !byId("minutes").open),
};

function go(id) {
  const heading = byId(`${id}-heading`);
  heading.focus();
  heading.scrollIntoView({ block: "nearest" });
}

// A browser may forbid storage; shortcuts are on then.

function stored() {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}

function store(value) {
  try {
    localStorage.setItem(STORED, value);
  } catch {
    // Nothing is kept for the next visit.
  }
}
