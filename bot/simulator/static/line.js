// The line to the server: Server-Sent Events, or asking every two seconds where streams do not pass.
// It mends itself for as long as the page is open.

const API = "/simulator/api";
const SILENT_MS = 40_000; // a stream shows a sign of life every 15 s
const OPENING_MS = 6_000;
const ASK_EVERY_MS = 2_000;
const ASK_TIMEOUT_MS = 10_000;
const WAITS_MS = [500, 1_000, 2_000, 4_000, 8_000];

/**
 * Calls `onEntries(entries, cursor)` for what appears on the phone and `onState("up" | "down")`.
 * `cursor()` tells how far the page has read.
 */
export class Line {
  #source = null;
  #timer = null;
  #failures = 0;
  #streamsPass = false;
  #asking = false;
  #attempt = 0;

  constructor({ person, cursor, onEntries, onState }) {
    Object.assign(this, { person, cursor, onEntries, onState });
    addEventListener("online", () => this.hurry());
    addEventListener("pageshow", (event) => event.persisted && this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#failures === 0 || this.hurry());
  }

  /** Connect now instead of at the end of the current wait. */
  hurry() {
    this.#failures = 0;
    this.open();
  }

  open() {
    this.#hangUp();
    if (this.#asking) this.#ask();
    else this.#listen();
  }

  #listen() {
    const source = (this.#source = new EventSource(`${API}/stream?${this.#query()}`));
    this.#expect(OPENING_MS);
    source.addEventListener("beat", () => this.#alive());
    source.addEventListener("message", (event) => {
      this.#alive();
      this.onEntries([JSON.parse(event.data)], event.lastEventId);
    });
    // The browser would retry by itself, but not after every error, and without the newest cursor.
    source.addEventListener("error", () => this.#broken());
  }

  #alive() {
    this.#streamsPass = true;
    this.#failures = 0;
    this.onState("up");
    this.#expect(SILENT_MS);
  }

  #expect(withinMs) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#broken(), withinMs);
  }

  #broken() {
    this.#hangUp();
    if (this.#streamsPass) this.#retry();
    else this.#ask();
  }

  /** Also the test of a line on which no stream ever passed: when asking works, something holds streams back. */
  async #ask() {
    const attempt = this.#attempt;
    const answered = await this.#askOnce();
    if (attempt !== this.#attempt) return; // connected anew meanwhile
    this.#asking = answered;
    if (answered) this.#timer = setTimeout(() => this.#ask(), ASK_EVERY_MS);
    else this.#retry();
  }

  async #askOnce() {
    try {
      const response = await fetch(`${API}/messages?${this.#query()}`, {
        signal: AbortSignal.timeout(ASK_TIMEOUT_MS),
        cache: "no-store",
      });
      if (!response.ok) return false;
      const { messages, cursor } = await response.json();
      this.onEntries(messages, cursor);
    } catch {
      return false;
    }
    this.#failures = 0;
    this.onState("up");
    return true;
  }

  #retry() {
    this.onState("down");
    clearTimeout(this.#timer);
    const wait = WAITS_MS[Math.min(this.#failures++, WAITS_MS.length - 1)];
    this.#timer = setTimeout(() => this.open(), wait);
  }

  #hangUp() {
    this.#attempt++;
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #query() {
    const query = new URLSearchParams({ person: this.person });
    const cursor = this.cursor();
    if (cursor) query.set("after", cursor);
    return query;
  }
}
