// What this phone remembers between page loads: who it is, its bubbles, and how far it has read.
// A browser that allows no storage still works, and forgets when the page is closed.

const KEPT_ENTRIES = 300;

/** The memory of one phone of this browser; `number` is that of `?phone=`. */
export class Memory {
  constructor(number) {
    this.ownerKey = `nghedan.simulator.${number}`;
    this.talkKey = `${this.ownerKey}.talk`;
    this.person = read(this.ownerKey);
    if (!this.person) return this.startAnew();
    const talk = this.#talk();
    this.cursor = talk.cursor ?? null;
    this.entries = talk.entries ?? [];
  }

  /** Become a new person, who has said nothing yet. */
  startAnew() {
    this.person = newId();
    this.cursor = null;
    this.entries = [];
    write(this.ownerKey, this.person);
    this.save();
  }

  /** Keep an entry, or what has changed of it; the newest ones only. */
  put(entry) {
    const index = this.entries.findIndex((known) => known.id === entry.id);
    if (index < 0) this.entries.push(entry);
    else this.entries[index] = entry;
    this.entries.splice(0, this.entries.length - KEPT_ENTRIES);
    this.save();
  }

  has(id) {
    return this.entries.some((entry) => entry.id === id);
  }

  get(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  save() {
    const { person, cursor, entries } = this;
    // Another tab may have given the phone to somebody else, who must not find this conversation on it.
    if (read(this.ownerKey) === person) write(this.talkKey, JSON.stringify({ person, cursor, entries }));
  }

  /** Call back when another tab of this browser has given the phone to a new person. */
  onTakenOver(callback) {
    addEventListener("storage", () => read(this.ownerKey) === this.person || callback());
  }

  #talk() {
    try {
      const talk = JSON.parse(read(this.talkKey));
      return talk?.person === this.person && Array.isArray(talk.entries) ? talk : {};
    } catch {
      return {};
    }
  }
}

function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // Storage is forbidden.
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Full or forbidden: the conversation goes on in this page's own memory.
  }
}

/** 128 random bits as 32 hexadecimal digits; `crypto.randomUUID` is missing on plain-HTTP addresses. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
