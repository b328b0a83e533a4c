// The routes as a table, the worst first, with buttons that force or reset one.

import { age, clock, count, percent, routeNames, shortClock, stateWords, until } from "./format.js";
import { arrange, byId, cell, element, setAttributes, setText } from "./dom.js";

const ORDER = ["open", "forced-open", "half-open", "recovering", "forced-closed", "closed"];

/** A sign beside the word of a state, so that it is seen without its colour. */
const SIGNS = { open: "■", "forced-open": "■", "half-open": "◧", recovering: "◪", "forced-closed": "▢", closed: "●" };

const ACTIONS = [
  {
    act: "force-open",
    button: "Force open",
    done: "forced open",
    what: "No call is sent to it, and fallbacks answer, until a reset.",
    of: "forced-open",
  },
  {
    act: "force-closed",
    button: "Force closed",
    done: "forced closed",
    what: "Every call is sent to it, however many fail, until a reset.",
    of: "forced-closed",
  },
  {
    act: "reset",
    button: "Reset",
    done: "reset",
    what: "It is closed, and what was counted is forgotten. A failing route opens again by itself.",
    of: null,
  },
];

/** The columns between the name and the buttons. What is `usual` is left out where there is little room. */
const COLUMNS = [
  { label: "State", text: ({ state }) => `${SIGNS[state] ?? "?"} ${stateWords(state)}` },
  { label: "Reason", text: ({ reason }) => reason || "–", title: ({ reason }) => reason || null, usual: "–" },
  {
    label: "Since",
    text: ({ since }, now) => `${shortClock(since, now)}, ${age(since, now)}`,
    title: ({ since }, now) => clock(since, now),
  },
  { label: "Next probe", text: backWhen, usual: "–" },
  { label: "Share", text: ({ share }) => percent(share), usual: "100 %" },
  { label: "Failures", text: ({ failures_in_a_row: failures }) => count(failures), usual: "0" },
  { label: "In flight", text: load, usual: "0" },
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
    this.rows = new Map(routes.map((route, i) => [route.id, this.row(route, names[i])]));
    arrange(
      this.body,
      this.inOrder().map(({ row }) => row),
    );
    setText(byId("route-count"), howMany(snapshot));
    byId("route-table").hidden = routes.length === 0;
    this.tick(now);
  }

  /** Counts the times on. */
  tick(now) {
    for (const { route, cells } of this.rows.values()) {
      COLUMNS.forEach(({ text, title, usual }, i) => {
        const [cell, span] = cells[i];
        setText(span, text(route, now));
        setAttributes(span, { title: title?.(route, now) });
        setAttributes(cell, { "data-usual": span.textContent === usual ? "" : null });
      });
    }
  }

  /** The worst first; as it is while someone points at it or is in it, so that no button moves away under a hand. */
  inOrder() {
    const rows = [...this.rows.values()];
    const rank = ({ route }) => (ORDER.indexOf(route.state) + ORDER.length) % ORDER.length;
    const held = this.body.matches(":hover") || this.body.contains(document.activeElement);
    const place = new Map([...this.body.children].map((child, i) => [child, i]));
    if (held) return rows.sort((a, b) => (place.get(a.row) ?? Infinity) - (place.get(b.row) ?? Infinity) || 0);
    return rows.sort((a, b) => rank(a) - rank(b) || compare(a.name.textContent, b.name.textContent));
  }

  row(route, name) {
    const entry = this.rows.get(route.id) ?? this.newRow(route.id);
    const { provider, model, operation, credential, state } = route;
    entry.route = route;
    setAttributes(entry.row, { class: `state-${state}` });
    setText(entry.name, name);
    const whole = `${model} at ${provider}${operation ? ` (${operation})` : ""}, credential ${credential}`;
    setAttributes(entry.name, { title: whole });
    ACTIONS.forEach(({ of, button }, i) => {
      const pressed = of === null ? null : String(of === state);
      setAttributes(entry.buttons[i], { "aria-label": `${button}: ${name}`, "aria-pressed": pressed });
    });
    return entry;
  }

  newRow(id) {
    const name = element("th", { scope: "row", role: "rowheader" });
    const cells = COLUMNS.map(({ label }) => {
      const span = element("span");
      return [cell(label, span), span];
    });
    const buttons = ACTIONS.map((action) => {
      const button = element("button", { type: "button" }, action.button);
      button.addEventListener("click", () => this.act(action, this.named(id, action)));
      return button;
    });
    const actions = element("td", { class: "actions" }, ...buttons);
    const row = element("tr", {}, name, ...cells.map(([cell]) => cell), actions);
    return { row, name, cells, buttons };
  }

  /** A route as it is now. It is not the same any more when the gateway was started anew and has given its identifier again. */
  named(id, { act }) {
    const name = () => this.rows.get(id)?.name.textContent;
    const then = name();
    return { name: then, path: `/api/routes/${encodeURIComponent(id)}/${act}`, isSame: () => name() === then };
  }
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** How many routes there are, of which only those of most interest are shown, and how many are not closed. */
function howMany({ routes, routes_total: all }) {
  if (routes.length === 0) return "none yet: a route is made by its first call";
  const open = routes.filter(({ state }) => state !== "closed").length;
  const shown = all > routes.length ? `${count(routes.length)} of ${count(all)}` : count(routes.length);
  return `${shown}, ${open === 0 ? "all closed" : `${count(open)} not closed`}`;
}

function load({ in_flight: calls, waiting }) {
  return waiting > 0 ? `${count(calls)}, ${count(waiting)} waiting` : count(calls);
}

function backWhen({ state, back_at: at, limited_until: limited }, now) {
  if (state === "closed" && limited > now) return `limit ends ${until(limited, now)}`;
  if (state === "half-open") return "probing";
  if (state.startsWith("forced")) return "at a reset";
  if (state !== "open" || at === null || at === undefined) return "–";
  return at <= now ? "with the next call" : until(at, now);
}
