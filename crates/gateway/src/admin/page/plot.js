// One plot of 15 minutes: axes, marks, and a cursor for the pointer and the arrow keys that reads out a bucket.

import { clock } from "./format.js";
import { element, setAttributes, setText, svg } from "./dom.js";

const LEFT = 46;
const RIGHT = 6;
const TOP = 8;
const BOTTOM = 18;
const HEIGHT = 118;

/** The lines over a band, so that bands are told apart without colours. */
const HATCHED = { degraded: "M0 6L6 0", failed: "M0 0L6 6M0 6L6 0" };

/**
 * `parts` has `title`, and the functions `readout(bucket)` and `label(value)`. The plot is a slider for a screen reader: its
 * value is the bucket under the cursor, and its text is the readout.
 */
export class Plot {
  constructor(figure, parts) {
    this.parts = parts;
    this.model = null;
    this.at = null;
    this.now = element("p", { class: "now" });
    this.drawing = svg("svg", { "aria-hidden": "true", height: HEIGHT });
    this.slider = element(
      "div",
      { class: "plot", role: "slider", tabindex: 0, "aria-label": parts.title, "aria-valuemin": 0 },
      this.drawing,
    );
    this.readout = element("p", { class: "readout" });
    figure.append(this.now, this.slider, this.readout);
    this.listen();
  }

  listen() {
    this.slider.addEventListener("pointermove", ({ clientX }) => this.point(clientX));
    this.slider.addEventListener("pointerdown", ({ clientX }) => this.point(clientX));
    this.slider.addEventListener("pointerleave", () => this.move(null));
    this.slider.addEventListener("focus", () => this.move(this.at ?? this.last()));
    this.slider.addEventListener("blur", () => this.move(null));
    this.slider.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.slider);
  }

  /**
   * `model` has the `buckets`, the end `max` of the axis, its `unit`, the marks `stacks` (`{ name, values }`, from the
   * bottom up) and `lines` (`{ name, values }`), what is known `now`, and the `summary`.
   */
  update(model) {
    this.model = model;
    this.now.replaceChildren(...model.now);
    this.draw();
  }

  // === the cursor ===

  last() {
    return this.model ? this.model.buckets.findLastIndex(({ known }) => known) : null;
  }

  point(clientX) {
    if (!this.model) return;
    const from = this.slider.getBoundingClientRect().left + LEFT;
    const i = Math.floor((clientX - from) / this.step());
    this.move(Math.min(Math.max(i, 0), this.model.buckets.length - 1));
  }

  key(event) {
    if (!this.model) return;
    const end = this.model.buckets.length - 1;
    const at = this.at ?? end;
    const to = {
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at + 1,
      PageUp: at + 6,
      PageDown: at - 6,
      Home: 0,
      End: end,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.move(Math.min(Math.max(to, 0), end));
  }

  move(at) {
    this.at = at !== null && at >= 0 ? at : null;
    this.draw();
  }

  // === the drawing ===

  width() {
    return Math.max(160, this.slider.clientWidth);
  }

  step() {
    return (this.width() - LEFT - RIGHT) / this.model.buckets.length;
  }

  y(value) {
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(1, value / this.model.max));
  }

  draw() {
    if (!this.model || this.slider.clientWidth === 0) return;
    setAttributes(this.drawing, { width: this.width() });
    this.drawing.replaceChildren(hatches(), ...this.axes(), ...this.stacks(), ...this.lines(), ...this.cursor());
    const bucket = this.model.buckets[this.at ?? this.last()];
    const text = this.at === null ? this.model.summary : this.read(bucket);
    setText(this.readout, text);
    setAttributes(this.slider, {
      "aria-valuemax": this.model.buckets.length - 1,
      "aria-valuenow": this.at ?? Math.max(0, this.last()),
      "aria-valuetext": text,
    });
  }

  read(bucket) {
    const time = clock(bucket.start, bucket.start);
    return `${time}: ${bucket.known ? this.parts.readout(bucket) : "nothing is known"}`;
  }

  axes() {
    const { max, unit, buckets } = this.model;
    const right = this.width() - RIGHT;
    const rows = [0, max / 2, max].flatMap((value) => [
      svg("line", { class: value === 0 ? "axis" : "grid", x1: LEFT, x2: right, y1: this.y(value), y2: this.y(value) }),
      svg(
        "text",
        { x: LEFT - 5, y: this.y(value) + 4, "text-anchor": "end" },
        value === max ? `${this.parts.label(value)}` : this.parts.label(value),
      ),
    ]);
    const minutes = [15, 10, 5, 0].map((minute) => {
      const x = right - ((right - LEFT) * minute) / 15;
      const anchor = minute === 15 ? "start" : minute === 0 ? "end" : "middle";
      return svg("text", { x, y: HEIGHT - 4, "text-anchor": anchor }, minute === 0 ? "now" : `−${minute} min`);
    });
    const gaps = buckets.flatMap(({ known }, i) => (known ? [] : [this.box(i, 0, max)]));
    return [
      svg("path", { class: "gap", d: gaps.join("") }),
      ...rows,
      ...minutes,
      svg("text", { class: "unit", x: LEFT + 4, y: TOP + 10 }, unit),
    ];
  }

  /** The box of a bucket between two values. */
  box(i, low, high) {
    const x = LEFT + i * this.step();
    const [top, bottom] = [this.y(high), this.y(low)];
    return `M${x.toFixed(1)} ${bottom.toFixed(1)}V${top.toFixed(1)}h${this.step().toFixed(1)}V${bottom.toFixed(1)}z`;
  }

  stacks() {
    const base = this.model.buckets.map(() => 0);
    return (this.model.stacks ?? []).flatMap(({ name, values }) => {
      const boxes = values.map((value, i) => {
        if (value === null || value === 0) return "";
        base[i] += value;
        return this.box(i, base[i] - value, base[i]);
      });
      const d = boxes.join("");
      const hatch = HATCHED[name] && svg("path", { d, fill: `url(#hatch-${name})` });
      return [svg("path", { class: `band ${name}`, d }), ...(hatch ? [hatch] : [])];
    });
  }

  /** A line is broken where there is no value; a value alone is a dot. */
  lines() {
    return (this.model.lines ?? []).map(({ name, values }) => {
      const points = values.map((value, i) => {
        if (value === null) return "";
        const x = (LEFT + (i + 0.5) * this.step()).toFixed(1);
        const before = values[i - 1] ?? null;
        const after = values[i + 1] ?? null;
        return `${before === null ? "M" : "L"}${x} ${this.y(value).toFixed(1)}${before === null && after === null ? "h0.1" : ""}`;
      });
      return svg("path", { class: `line ${name}`, d: points.join("") });
    });
  }

  cursor() {
    if (this.at === null) return [];
    const x = LEFT + (this.at + 0.5) * this.step();
    return [svg("line", { class: "cursor", x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM })];
  }
}

function hatches() {
  const patterns = Object.entries(HATCHED).map(([name, d]) =>
    svg(
      "pattern",
      { id: `hatch-${name}`, width: 6, height: 6, patternUnits: "userSpaceOnUse" },
      svg("path", { class: "hatch", d }),
    ),
  );
  return svg("defs", {}, ...patterns);
}
