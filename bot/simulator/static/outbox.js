// Messages on their way to the server: one after the other, each under one id however often it is tried,
// so that the server stores it once.

const API = "/simulator/api";
const TIMEOUT_MS = 20_000;
const FILE_TIMEOUT_MS = 120_000;
const WAITS_MS = [1_000, 2_000, 4_000, 8_000, 15_000];
// The server understood and said no: sending the same again is pointless.
const REFUSALS = new Set([400, 403, 404, 405, 413, 415, 422]);

/** Calls `onAccepted(id, entry)`, `onRefused(id, text)`, and `onStuck()` when the server does not answer. */
export class Outbox {
  #queue = [];
  #files = new Map();
  #running = false;
  #timer = null;
  #failures = 0;
  stuck = false; // the last try brought no answer

  constructor({ person, onAccepted, onRefused, onStuck }) {
    Object.assign(this, { person, onAccepted, onRefused, onStuck });
  }

  /** Queue a message; `body` is its JSON without ids, `file` takes its place for an upload. */
  add(id, { body, file }) {
    if (file) this.#files.set(id, file);
    this.#queue.push({ id, body });
    this.hurry();
  }

  /** Try now instead of at the end of the current wait. */
  hurry() {
    clearTimeout(this.#timer);
    this.#run();
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#queue.length && (await this.#deliver(this.#queue[0]))) {
        this.#files.delete(this.#queue.shift().id);
        this.#failures = 0;
      }
    } finally {
      this.#running = false;
    }
    if (this.#queue.length) {
      const wait = WAITS_MS[Math.min(this.#failures++, WAITS_MS.length - 1)];
      this.#timer = setTimeout(() => this.#run(), wait);
    }
  }

  /** True when the message is settled, one way or the other. */
  async #deliver({ id, body }) {
    let response;
    let answer;
    try {
      response = await this.#post(id, body);
      answer = await response.json();
    } catch {
      answer = null;
    }
    const settled = answer !== null && (response.ok || REFUSALS.has(response.status));
    this.stuck = !settled;
    if (!settled) this.onStuck();
    else if (response.ok) this.onAccepted(id, answer);
    else this.onRefused(id, answer.detail?.text ?? "");
    return settled;
  }

  #post(id, body) {
    const file = this.#files.get(id);
    if (!file) {
      return fetch(`${API}/messages`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...body, person: this.person, id }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    }
    return fetch(`${API}/files`, {
      method: "POST",
      headers: {
        "Content-Type": file.type || "application/octet-stream",
        "X-Person": this.person,
        "X-Message-Id": id,
        "X-File-Name": encodeURIComponent(wellFormed(file.name)),
      },
      body: file,
      signal: AbortSignal.timeout(FILE_TIMEOUT_MS),
    });
  }
}

/** The text with half characters replaced, without which `encodeURIComponent` fails. */
function wellFormed(text) {
  return text.replace(/[\ud800-\udfff]/gu, "\ufffd");
}
