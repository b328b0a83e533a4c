// Numbers, times and names as text. Pure; times of day are in the time zone of the browser.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The outcomes whose label is not what an operator would call them. */
const OUTCOME_WORDS = { broken: "connection lost", refused: "not sent" };

/** A number with its thousands apart. */
export function count(number) {
  return Math.round(number).toLocaleString("en");
}

/** At most three digits that matter: 0.25, 3.4, 120. */
export function short(number) {
  if (number >= 100 || Number.isInteger(number)) return count(number);
  return number.toFixed(number >= 10 ? 1 : 2).replace(/\.?0+$/, "");
}

/** A share of one. What is not zero is not shown as zero, and what is not all is not shown as all. */
export function percent(share) {
  const percents = share * 100;
  if (percents > 0 && percents < 0.1) return "< 0.1 %";
  if (percents > 99 && percents < 100) return "> 99 %";
  return `${percents >= 10 ? Math.round(percents) : short(Math.round(percents * 10) / 10)} %`;
}

/** A span of time, in milliseconds, in the two largest units that fit. */
export function span(ms) {
  const whole = Math.max(0, Math.floor(ms / SECOND)) * SECOND;
  if (whole < MINUTE) return `${whole / SECOND} s`;
  if (whole < HOUR) return two(whole, MINUTE, "min", SECOND, "s");
  if (whole < DAY) return two(whole, HOUR, "h", MINUTE, "min");
  return two(whole, DAY, "d", HOUR, "h");
}

function two(ms, large, largeUnit, small, smallUnit) {
  const rest = Math.floor((ms % large) / small);
  const first = `${Math.floor(ms / large)} ${largeUnit}`;
  return rest === 0 ? first : `${first} ${rest} ${smallUnit}`;
}

/** How long ago `then` is. A clock that runs ahead does not make it the future. */
export function ago(then, now) {
  return now - then < SECOND ? "just now" : `${span(now - then)} ago`;
}

/** How long ago `then` is, in its largest unit alone. */
export function age(then, now) {
  return now - then < SECOND
    ? "just now"
    : `${span(now - then)
        .split(" ")
        .slice(0, 2)
        .join(" ")} ago`;
}

/** When `then` is, counted down; what is due is "now". Rounded up, so that the last second is not 0 s. */
export function until(then, now) {
  return then <= now ? "now" : `in ${span(Math.ceil((then - now) / SECOND) * SECOND)}`;
}

/** The time of day; with the date in front where `then` is not of the day of `now`. */
export function clock(then, now, seconds = true) {
  const date = new Date(then);
  const parts = [date.getHours(), date.getMinutes(), ...(seconds ? [date.getSeconds()] : [])];
  const time = parts.map(pad).join(":");
  if (date.toDateString() === new Date(now).toDateString()) return time;
  return `${day(date)} ${time}`;
}

/** The time of day, or the day alone where `then` is not of the day of `now`. */
export function shortClock(then, now) {
  const date = new Date(then);
  return date.toDateString() === new Date(now).toDateString() ? clock(then, now, false) : day(date);
}

function day(date) {
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

function pad(number) {
  return String(number).padStart(2, "0");
}

/** How long something took. */
export function took(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  return ms < MINUTE ? `${short(ms / SECOND)} s` : span(ms);
}

/** The label of an outcome in words; "not asked" where there is none. */
export function outcomeWords(label) {
  if (label === null || label === undefined) return "not asked";
  return OUTCOME_WORDS[label] ?? String(label).replaceAll("_", " ");
}

/** The state of a route in words. */
export function stateWords(state) {
  return String(state).replace("forced-", "forced ");
}

/** `a`, `a and b`, `a, b and 3 more`. */
export function list(names) {
  if (names.length <= 2) return names.join(" and ");
  return `${names[0]}, ${names[1]} and ${names.length - 2} more`;
}

/** The shortest name of each route that no other route has: an array in the order of `routes`. */
export function routeNames(routes) {
  const named = routes.map(candidates);
  const taken = new Map();
  for (const name of named.flat()) taken.set(name, (taken.get(name) ?? 0) + 1);
  return named.map((names) => names.find((name) => taken.get(name) === 1) ?? names.at(-1));
}

function candidates({ provider, model, operation, credential }) {
  const at = model ? `${model} at ${provider}` : provider;
  const whole = operation ? `${at} (${operation})` : at;
  return [...new Set([provider, at, whole, `${whole} [${credential}]`])];
}
