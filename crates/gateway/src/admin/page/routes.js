// The routes as a table, the worst first, with buttons that force or reset one.

import { age, clock, count, percent, routeNames, shortClock, stateWords, until } from "./format.js";
import { arrange, byId, cell, element, setAttributes, setText } from "./dom.js";

const ORDER = ["open", "forced-open", "half-open", "recovering", "forced-closed", "closed"];

/** A sign beside the word of a state, so that it is seen without its colour. */
const SIGNS = { open: "■", "forced-open": "■", "half-open": "◧", recovering: "◪", "forced-closed": "▢", closed: "●" };

const ACTIONS = [
  { act: "force-open", button: "Force open", done: "forced open", what: "No call is sent to it, and fallbacks answer, until a reset.", of: "forced-open" },
  { act: "force-closed", button: "Force closed", done: "forced closed", what: "Every call is sent to it, however many fail, until a reset.", of: "forced-closed" },
  { act: "reset", button: "Reset", done: "reset", what: "It is closed, and what was counted is forgotten. A failing route opens again by itself.", of: null },
];

export class Routes {
  /** `act(action, route)` asks and acts; `route` is `{ name, path, isSame() }`. */
  constructor(act) {
    this.act = act;
    this.rows = new Map();
    this.body = byId("route-rows");
  }

  update(snapshot, now) {
    const { routes } = snapshot;
    const names = routeNames(routes);
    const rows = new Map(routes.map((route, i) => [route.id, this.row(route, names[i])]));
    this.rows = rows;
    arrange(this.body, this.inOrder().map(({ row }) => row));
    const open = routes.filter(({ state }) => state !== "closed").length;
    setText(byId("route-count"), routes.length === 0 ? "none yet: a route is made by its first call" : `${howMany(snapshot)}, ${open === 0 ? "all closed" : `${count(open)} not closed`}`);
    byId("route-table").hidden = routes.length === 0;
    this.tick(now);
  }

  /** Counts the times on. */
  tick(now) {
    for (const { route, parts } of this.rows.values()) {
      setText(parts.since, `${shortClock(route.since, now)}, ${age(route.since, now)}`);
      setAttributes(parts.since, { title: clock(route.since, now) });
      setText(parts.back, backWhen(route, now));
      setAttributes(parts.back.parentNode, { "data-usual": parts.back.textContent === "–" ? "" : null });
    }
  }

  /** The worst first; as it is while someone points at it or is in it, so that no button moves away under a hand. */
  inOrder() {
    const rows = [...this.rows.values()];
    const rank = ({ route }) => (ORDER.indexOf(route.state) + ORDER.length) % ORDER.length;
    const held = this.body.matches(":hover") || this.body.contains(document.activeElement);
    const place = new Map([...this.body.children].map((child, i) => [child, i]));
    if (held) return rows.sort((a, b) => (place.get(a.row) ?? Infinity) - (place.get(b.row) ?? Infinity) || 0);
    return rows.sort((a, b) => rank(a) - rank(b) || compare(a.parts.name.textContent, b.parts.name.textContent));
  }

  row(route, name) {
    const entry = this.rows.get(route.id) ?? this.newRow(route);
    const { row, parts } = entry;
    entry.route = route;
    setAttributes(row, { class: `state-${route.state}` });
    setText(parts.name, name);
    setAttributes(parts.name, { title: `${route.model} at ${route.provider}${route.operation ? ` (${route.operation})` : ""}, credential ${route.credential}` });
    setText(parts.state, `${SIGNS[route.state] ?? "?"} ${stateWords(route.state)}`);
    setText(parts.reason, route.reason || "–");
    setAttributes(parts.reason, { title: route.reason || null });
    setText(parts.share, percent(route.share));
    setText(parts.failures, count(route.failures_in_a_row));
    setText(parts.load, route.waiting > 0 ? `${count(route.in_flight)}, ${count(route.waiting)} waiting` : count(route.in_flight));
    // What is as always is left out where there is little room.
    for (const [part, usual] of [["reason", "–"], ["share", "100 %"], ["failures", "0"], ["load", "0"]])
      setAttributes(parts[part].parentNode, { "data-usual": parts[part].textContent === usual ? "" : null });
    for (const [i, { of, button }] of ACTIONS.entries()) {
      setAttributes(parts.buttons[i], { "aria-label": `${button}: ${name}`, "aria-pressed": of === null ? null : String(of === route.state) });
    }
    return entry;
  }

  /** A route as it is now. It is not the same any more when the gateway was started anew and has given its identifier again. */
  named(id, { act }) {
    const name = () => this.rows.get(id)?.parts.name.textContent;
    const then = name();
    return { name: then, path: `/api/routes/${encodeURIComponent(id)}/${act}`, isSame: () => name() === then };
  }

  newRow({ id }) {
    const text = () => element("span");
    const parts = { name: element("th", { scope: "row", role: "rowheader" }), state: text(), reason: text(), since: text(), back: text(), share: text(), failures: text(), load: text() };
    parts.buttons = ACTIONS.map((action) => {
      const button = element("button", { type: "button" }, action.button);
      button.addEventListener("click", () => this.act(action, this.named(id, action)));
      return button;
    });
    const row = element(
      "tr",
      {},
      parts.name,
      cell("State", parts.state),
      cell("Reason", parts.reason),
      cell("Since", parts.since),
      cell("Next probe", parts.back),
      cell("Share", parts.share),
      cell("Failures", parts.failures),
      cell("In flight", parts.load),
      element("td", { class: "actions" }, ...parts.buttons),
    );
    return { row, parts };
  }
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** How many routes there are; only those of most interest are shown. */
function howMany({ routes, routes_total: all }) {
  return all > routes.length ? `${count(routes.length)} of ${count(all)}` : count(routes.length);
}

function backWhen({ state, back_at: at, limited_until: limited }, now) {
  if (state === "closed" && limited > now) return `limit ends ${until(limited, now)}`;
  if (state === "half-open") return "probing";
  if (state.startsWith("forced")) return "at a reset";
  if (state !== "open" || at === null || at === undefined) return "–";
  return at <= now ? "with the next call" : until(at, now);
}
