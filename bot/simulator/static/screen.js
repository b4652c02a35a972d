// The bubbles: draws entries into the list, and the choices under the newest message that offers some.
// Everything is built from text nodes, so no message can bring markup of its own.

const ZONE = "Asia/Ho_Chi_Minh";
const CLOCK = new Intl.DateTimeFormat("vi-VN", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat("vi-VN", { timeZone: ZONE, day: "2-digit", month: "2-digit", year: "numeric" });
const DEGREES = new Intl.NumberFormat("vi-VN", { minimumFractionDigits: 4, maximumFractionDigits: 4 });
const SIZE = new Intl.NumberFormat("vi-VN", { maximumFractionDigits: 1 });
const NEAR_END_PX = 80;
const ICONS = {
  voice: "M12 3.5a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0v-5a3 3 0 0 1 3-3zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3",
  video: "M4 6.5h11v11H4zM15 11l5-3v8l-5-3",
  file: "M7 3.5h7l4 4v13H7zM14 3.5v4h4M10 12.5h5M10 16h5",
  photo: "M4 5h16v14H4zM4 17l5-4 3.5 3 3.5-4 4 4",
  location: "M12 21s-6.5-6-6.5-11a6.5 6.5 0 0 1 13 0c0 5-6.5 11-6.5 11zM12 12.3a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6z",
  sticker: "M3.5 12a8.5 8.5 0 1 0 17 0 8.5 8.5 0 1 0-17 0M8.5 14a4 4 0 0 0 7 0M9 9.5v.5M15 9.5v.5",
};

/** Draws into `talk` (what scrolls) and `list`; `say` are the page's words; `onChoice({value, label})`. */
export class Screen {
  #items = new Map();
  #entries = [];
  #pictures = new Map();
  #lastDay = null;

  constructor({ talk, list, newest, say, onChoice }) {
    Object.assign(this, { talk, list, newest, say, onChoice });
    talk.addEventListener("scroll", () => this.#atEnd() && (newest.hidden = true), { passive: true });
    newest.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.#stuck && this.toEnd()).observe(talk);
  }

  #stuck = true;

  /** Draw the remembered entries without having them read out. */
  restore(entries) {
    this.talk.setAttribute("aria-live", "off");
    for (const entry of entries) this.#append(entry);
    this.#offer();
    this.toEnd();
    requestAnimationFrame(() => requestAnimationFrame(() => this.talk.setAttribute("aria-live", "polite")));
  }

  /** Draw a new entry, or what has changed of a drawn one. */
  show(entry) {
    const follow = this.#atEnd() || entry.author === "person";
    const drawn = this.#items.get(entry.id);
    if (drawn) {
      drawn.querySelector(".meta").replaceChildren(...this.#meta(entry));
      drawn.dataset.state = entry.state ?? "";
    } else {
      this.#append(entry);
    }
    this.#offer();
    if (follow) this.toEnd();
    else if (!drawn) this.newest.hidden = false;
  }

  /** Show a picture that this page itself has at hand. */
  lend(id, file) {
    this.#pictures.set(id, URL.createObjectURL(file));
  }

  toEnd() {
    this.talk.scrollTop = this.talk.scrollHeight;
    this.newest.hidden = true;
    this.#stuck = true;
  }

  #atEnd() {
    this.#stuck = this.talk.scrollHeight - this.talk.scrollTop - this.talk.clientHeight < NEAR_END_PX;
    return this.#stuck;
  }

  #append(entry) {
    this.#entries.push(entry);
    this.#daySeparator(entry);
    const item = element("li", `entry ${entry.author} ${entry.kind}`);
    item.dataset.state = entry.state ?? "";
    const bubble = element("div", "bubble");
    bubble.append(
      element("span", "quiet", entry.author === "bot" ? this.say.botSays : this.say.personSays),
      this.#content(entry),
      element("p", "meta", ...this.#meta(entry)),
    );
    item.append(bubble);
    this.list.append(item);
    this.#items.set(entry.id, item);
  }

  #daySeparator(entry) {
    const day = DAY.format(new Date(entry.at));
    if (day === this.#lastDay) return;
    this.#lastDay = day;
    const now = Date.now();
    let name = this.say.day.replace("{day}", day);
    if (day === DAY.format(now)) name = this.say.today;
    else if (day === DAY.format(now - 86_400_000)) name = this.say.yesterday;
    this.list.append(element("li", "day", name));
  }

  #content(entry) {
    switch (entry.kind) {
      case "photo":
        return this.#photo(entry);
      case "voice":
      case "video":
      case "file":
        return this.#card(entry.kind, entry.file?.name || this.say[entry.kind], fileSize(entry.file?.bytes));
      case "location":
        return this.#card("location", this.say.location, place(entry));
      case "sticker":
        return this.#card("sticker", this.say.sticker, "");
      case "follow":
        return element("p", "words", this.say.followed);
      default:
        return this.#words(entry);
    }
  }

  /** The words; the numbered list of choices at the end stands apart, because buttons may take its place. */
  #words(entry) {
    const list = (entry.choices ?? []).map(({ label }, index) => `\n${index + 1}. ${label}`).join("");
    if (!list || !entry.text.endsWith(list)) return element("p", "words", entry.text);
    return element("p", "words", entry.text.slice(0, -list.length), element("span", "listed", list));
  }

  #photo(entry) {
    const name = [this.say.photo, entry.file?.name].filter(Boolean).join(": ");
    const card = () => this.#card("photo", entry.file?.name || this.say.photo, fileSize(entry.file?.bytes));
    const source = this.#pictures.get(entry.id) ?? (entry.file?.ref && `/simulator/api/files/${entry.file.ref}`);
    if (!source) return card();
    const image = element("img", "picture");
    image.alt = name;
    image.addEventListener("load", () => this.#stuck && this.toEnd());
    image.addEventListener("error", () => image.replaceWith(card()));
    image.src = source;
    return image;
  }

  #card(kind, title, detail) {
    return element("div", "card", icon(ICONS[kind]), element("p", "words", title, detail && element("small", "", detail)));
  }

  #meta(entry) {
    const time = element("time", "", CLOCK.format(new Date(entry.at)));
    time.dateTime = entry.at;
    if (entry.author === "bot") return [time];
    const state = element("span", "state", this.say[entry.state ?? "sent"]);
    const problem = entry.problem && element("span", "problem", entry.problem);
    return [time, state, problem].filter(Boolean);
  }

  /** Choices stand under the newest message that offers some, until the person has answered anything. */
  #offer() {
    this.list.querySelector(".choices")?.remove();
    this.list.querySelector(".offering")?.classList.remove("offering");
    const entry = this.#entries.findLast(({ author, choices }) => author === "person" || choices?.length);
    if (!entry?.choices?.length || entry.author !== "bot") return;
    const group = element("div", "choices", ...entry.choices.map((choice, index) => this.#button(choice, index)));
    group.role = "group";
    group.setAttribute("aria-label", this.say.choices);
    const item = this.#items.get(entry.id);
    item.classList.add("offering");
    item.append(group);
  }

  #button(choice, index) {
    const button = element("button", "choice", element("span", "number", `${index + 1}`), " ", choice.label);
    button.type = "button";
    button.addEventListener("click", () => {
      // The button is about to vanish; the keyboard stays in the conversation.
      this.talk.focus({ preventScroll: true });
      this.onChoice(choice);
    });
    return button;
  }
}

function element(name, className, ...content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(svg.namespaceURI, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

function fileSize(bytes) {
  if (!bytes) return "";
  return bytes < 1_000_000 ? `${SIZE.format(Math.ceil(bytes / 1_000))} KB` : `${SIZE.format(bytes / 1_000_000)} MB`;
}

function place({ latitude, longitude }) {
  return `${DEGREES.format(latitude)}; ${DEGREES.format(longitude)}`;
}
