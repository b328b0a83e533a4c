// The operator's page: connects, and hands each snapshot to the parts of the page.

import { ago, clock } from "./format.js";
import { arrange, byId, element, setAttributes, setText } from "./dom.js";
import { Calls } from "./calls.js";
import { Connection } from "./connection.js";
import { Plots } from "./plots.js";
import { Routes } from "./routes.js";
import { confirmed, notice, showRehearsal } from "./dialogs.js";
import { answeringNow } from "./series.js";
import { listenForKeys } from "./keys.js";
import { sentence } from "./sentence.js";

/** The newest snapshot; `ahead` is how far the gateway's clock is ahead of the browser's, in milliseconds. */
const state = { snapshot: null, ahead: 0, link: { state: "connecting", since: Date.now() } };

const connection = new Connection({ snapshot: received, link: linked });
const routes = new Routes(act);
const plots = new Plots();
const calls = new Calls();

// === what comes ===

/** A snapshot that cannot be shown is not taken for a lost connection. */
function received(snapshot) {
  try {
    show(snapshot);
  } catch (error) {
    notice(`This page cannot show what the gateway sends (${error.message}): reload it.`, true);
  }
}

function show(snapshot) {
  const before = state.snapshot?.version ?? snapshot.version;
  if (before !== snapshot.version) notice(`The gateway is now version ${snapshot.version}: reload this page.`, true);
  state.snapshot = snapshot;
  state.ahead = snapshot.now - Date.now();
  const now = snapshot.now;
  showTop();
  showOrder(snapshot);
  setText(
    byId("about"),
    `${snapshot.upstream} · ${snapshot.listen} · ${snapshot.version} · up since ${clock(snapshot.started_at, now, false)}`,
  );
  byId("drain").disabled = snapshot.draining;
  routes.update(snapshot, now);
  plots.update(snapshot);
  calls.update(snapshot, now);
}

function linked(link) {
  state.link = link;
  const login = link.state === "login";
  byId("login").hidden = !login;
  byId("parts").hidden = login;
  byId("rehearse").hidden = byId("drain").hidden = byId("order").hidden = login;
  if (login) byId("token").focus();
  document.body.classList.toggle("stale", link.state === "lost");
  showTop();
}

// === the top ===

/** The time of the gateway. While the connection is lost, what is shown is as old as it is. */
function now() {
  return Date.now() + state.ahead;
}

function showTop() {
  const link = { ...state.link, since: state.link.since + state.ahead };
  const { tone, word, text, stable } = sentence({ snapshot: state.snapshot, now: now(), link });
  setAttributes(byId("top"), { "data-tone": tone });
  setText(byId("word"), word);
  setText(byId("sentence"), text);
  setText(byId("announce"), `${word}. ${stable}`);
  const title = `${word} – evenkeel`;
  if (document.title !== title) document.title = title;
  const { snapshot } = state;
  setText(
    byId("link"),
    link.state === "live" ? "live" : snapshot ? `as of ${clock(snapshot.now, now())}, ${ago(snapshot.now, now())}` : "",
  );
}

function showOrder(snapshot) {
  const { order } = snapshot;
  const answering = answeringNow(snapshot);
  const items = order.map(({ name, kind }) => {
    const answers = answering?.name === name;
    const words = `${answers ? "▶ " : ""}${name}${kind === "target" ? "" : ` (${kind})`}${answers ? " answers" : ""}`;
    return element("li", { class: answers ? "answers" : null }, words);
  });
  const list = byId("order");
  const same = list.children.length === items.length && items.every((item, i) => item.isEqualNode(list.children[i]));
  if (!same) arrange(list, items);
}

// === what is changed ===

async function act({ button, done, what }, { name, path, isSame }) {
  if (!(await confirmed({ title: `${button}: ${name}?`, text: what, yes: button }))) return;
  await attempted(`${button}: ${name}`, async () => {
    if (!isSame()) throw new Error("the route is gone");
    await connection.post(path);
    notice(`${name} is ${done}.`);
  });
}

async function drain() {
  const text =
    "New calls are refused from now on. The process ends when the calls in flight have, and does not come back by itself unless something starts it again.";
  if (!(await confirmed({ title: "Drain the gateway?", text, yes: "Drain and end" }))) return;
  await attempted("Drain", async () => {
    await connection.post("/api/drain");
    notice("The gateway is draining.");
  });
}

async function rehearse() {
  const text = "Every target is asked once, with a short request that is billed like any other.";
  if (!(await confirmed({ title: "Rehearse the fallbacks?", text, yes: "Rehearse" }))) return;
  const button = byId("rehearse");
  button.setAttribute("aria-disabled", "true");
  notice("Rehearsing: every target is asked once.");
  await attempted("Rehearse", async () => {
    const report = await connection.post("/api/rehearse");
    notice(`Rehearsed: ${showRehearsal(report)}.`, !report.ok);
  });
  button.removeAttribute("aria-disabled");
}

async function attempted(what, action) {
  try {
    await action();
  } catch (error) {
    notice(`${what} failed: ${error.message}.`, true);
  }
}

async function login(event) {
  event.preventDefault();
  setText(byId("login-error"), "");
  try {
    await connection.post("/api/login", { token: byId("token").value });
    byId("token").value = "";
    await connection.start();
    byId("routes-heading").focus();
  } catch (error) {
    setText(byId("login-error"), `Not signed in: ${error.message}.`);
    byId("token").select();
  }
}

// === begin ===

byId("drain").addEventListener("click", drain);
byId("rehearse").addEventListener("click", () => byId("rehearse").hasAttribute("aria-disabled") || rehearse());
byId("login-form").addEventListener("submit", login);
listenForKeys();
setText(byId("zone"), Intl.DateTimeFormat().resolvedOptions().timeZone ?? "local");
setInterval(() => {
  if (document.hidden) return;
  showTop();
  if (state.snapshot && state.link.state === "live") routes.tick(now());
}, 1000);
// A page that is opened in the background begins when it is looked at.
if (!document.hidden) connection.start();
