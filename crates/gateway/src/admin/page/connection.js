// The connection to the gateway: snapshots by server-sent events, and requests that change something.

/** A snapshot comes every 5 s at the latest. */
const SILENCE = 12_000;
const REFETCH = 3_000;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 10_000;

export class Connection {
  /** `on.snapshot(snapshot)` has the newest state; `on.link(link)` has `{ state, since }`: connecting, live, lost or login. */
  constructor(on) {
    this.on = on;
    this.link = { state: "connecting", since: Date.now() };
    this.wait = FIRST_WAIT;
    this.generation = 0;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.stop() : this.start()));
  }

  /** Connects anew. The snapshot is fetched first, since an event source does not tell why it was refused. */
  async start() {
    this.stop();
    const generation = this.generation;
    this.watch();
    const answer = await fetched();
    if (generation !== this.generation) return;
    if (answer.refused) return this.refused();
    if (!answer.snapshot) return this.lost();
    this.received(answer.snapshot);
    this.follow(generation);
  }

  stop() {
    this.generation += 1;
    this.source?.close();
    clearTimeout(this.timer);
  }

  follow(generation) {
    this.source = new EventSource("/api/events");
    this.source.addEventListener("snapshot", ({ data }) => {
      if (generation === this.generation) this.received(JSON.parse(data));
    });
    this.source.addEventListener("error", () => generation === this.generation && this.unfollowed());
  }

  /** An event source that was refused (too many readers) is no lost connection: snapshots are fetched then. */
  unfollowed() {
    if (this.source.readyState !== EventSource.CLOSED) return this.lost();
    this.stop();
    this.timer = setTimeout(() => this.start(), REFETCH);
  }

  received(snapshot) {
    this.wait = FIRST_WAIT;
    this.become("live");
    this.watch();
    this.on.snapshot(snapshot);
  }

  /** Takes silence for a lost connection: a laptop that slept, a tunnel that hangs. */
  watch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.lost(), SILENCE);
  }

  lost() {
    this.stop();
    this.become("lost");
    this.timer = setTimeout(() => this.start(), this.wait);
    this.wait = Math.min(LONGEST_WAIT, this.wait * 2);
  }

  refused() {
    this.stop();
    this.become("login");
  }

  become(state) {
    if (this.link.state === state) return;
    this.link = { state, since: Date.now() };
    this.on.link(this.link);
  }

  // === what changes something ===

  /** Posts; the result is what was answered, null if that is nothing. An error has words for the operator. */
  async post(path, body = null) {
    const headers = { "x-evenkeel-admin": "1", ...(body && { "content-type": "application/json" }) };
    let response;
    try {
      response = await fetch(path, { method: "POST", headers, body: body && JSON.stringify(body) });
    } catch {
      throw new Error("the gateway does not answer");
    }
    const text = await response.text();
    const answer = parsed(text);
    if (response.ok) return answer;
    if (response.status === 401 && path !== "/api/login") this.refused();
    if (response.status === 401) throw new Error(path === "/api/login" ? "the token is wrong" : "the session is over");
    throw new Error(answer?.error ?? `status ${response.status}`);
  }
}

/** The snapshot, or that a token is needed; neither when the gateway does not answer as it should. */
async function fetched() {
  try {
    const response = await fetch("/api/snapshot", { cache: "no-store", signal: AbortSignal.timeout(SILENCE) });
    if (response.status === 401) return { refused: true };
    return { snapshot: response.ok ? await response.json() : null };
  } catch {
    return { snapshot: null };
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
