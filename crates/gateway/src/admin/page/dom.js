// Makes and updates elements. Text is only ever set as text, so that what a provider sends is never markup.

const SVG = "http://www.w3.org/2000/svg";

/** The roles of the parts of a table: a narrow window shows rows as blocks, which takes their meaning away. */
const ROLES = { table: "table", thead: "rowgroup", tbody: "rowgroup", tr: "row", td: "cell" };

/** What turns the direction of a text: a model's name, which a caller chooses, is not to turn the words around it. */
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

export function byId(id) {
  return document.getElementById(id);
}

/** An element with attributes and children; a child is an element or a text. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  if (ROLES[name]) made.setAttribute("role", ROLES[name]);
  setAttributes(made, attributes);
  made.append(...children.map((child) => (typeof child === "string" ? plain(child) : child)));
  return made;
}

function plain(text) {
  return text.replace(TURNS, "");
}

export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}

/** Sets attributes; null and false remove one. */
export function setAttributes(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) target.removeAttribute(name);
    else if (target.getAttribute(name) !== plain(String(value))) target.setAttribute(name, plain(String(value)));
  }
}

/** Sets a text, and leaves the node alone where it is the same: a selection and a screen reader stay where they are. */
export function setText(target, text) {
  const shown = plain(text);
  if (target.textContent !== shown) target.textContent = shown;
}

/** A cell that a narrow window shows with the name of its column. */
export function cell(label, ...children) {
  return element("td", { "data-label": label }, ...children);
}

/**
 * Brings the children of `parent` into the order of `wanted`. A child that is in its place is not touched, since moving an
 * element takes its focus away; the others are moved around it.
 */
export function arrange(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  const focused = wanted.findIndex((child) => child.contains(document.activeElement) && child.parentNode === parent);
  if (focused >= 0) {
    const anchor = wanted[focused];
    for (const child of wanted.slice(0, focused)) parent.insertBefore(child, anchor);
    for (const child of wanted.slice(focused + 1)) parent.append(child);
    return;
  }
  wanted.forEach((child, i) => {
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
}
