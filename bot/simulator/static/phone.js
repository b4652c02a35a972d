// The phone: joins what it remembers, the line to the server, the outbox and the screen.

import { Line } from "./line.js";
import { Memory, newId } from "./memory.js";
import { Outbox } from "./outbox.js";
import { Screen } from "./screen.js";

const TYPING_AT_MOST_MS = 25_000;
const AWAY_AFTER_MS = 2_500; // a restart of the line that is shorter than this is not worth a notice
const BACK_SHOWN_MS = 4_000;

const $ = (id) => document.getElementById(id);
const phone = $("phone");
const say = {};
for (const [key, text] of Object.entries(phone.dataset)) {
  if (key.startsWith("say")) say[key[3].toLowerCase() + key.slice(4)] = text;
}
const textLimit = Number(phone.dataset.textLimit);
const fileLimit = Number(phone.dataset.fileLimit);

const memory = new Memory(phone.dataset.phone);
const screen = new Screen({
  talk: $("talk"),
  list: $("entries"),
  newest: $("newest"),
  say,
  onChoice: ({ value, label }) => post({ kind: "choice", value, label }, label),
});
const outbox = new Outbox({
  person: memory.person,
  onAccepted: accepted,
  onRefused: (id, problem) => change(id, { state: "failed", problem }),
  onStuck: stuck,
});
const line = new Line({
  person: memory.person,
  cursor: () => memory.cursor,
  onEntries: arrived,
  onState: lineIs,
});

// ---- messages ------------------------------------------------------------------------------------------

/** Show an own message at once and send it; `shown` is what only the bubble needs. */
function post(body, text = "", { file, shown = {} } = {}) {
  const id = newId();
  const entry = { id, author: "person", kind: body.kind, text, at: new Date().toISOString(), state: "sending", ...shown };
  if (file) screen.lend(id, file);
  else entry.body = body; // enough to send it after the page was closed
  keep(entry);
  outbox.add(id, { body, file });
}

function keep(entry) {
  memory.put(entry);
  screen.show(entry);
  $("start").hidden = true;
}

function change(id, changes) {
  const entry = memory.get(id);
  if (entry) keep({ ...entry, ...changes });
}

function accepted(id, answer) {
  lineIs("up");
  const { at, file } = answer;
  change(id, { at, state: "sent", body: undefined, ...(file && { file }) });
  if (memory.entries.at(-1)?.id === id) typing(true);
}

function stuck() {
  for (const { id, state } of memory.entries) if (state === "sending") change(id, { state: "stuck" });
  lineIs("down");
}

function arrived(entries, cursor) {
  for (const entry of entries) {
    if (entry.author === "bot") typing(false);
    if (!memory.has(entry.id)) keep(entry);
    else if (entry.author === "person") change(entry.id, { at: entry.at, state: "sent", body: undefined });
  }
  memory.cursor = cursor;
  memory.save();
}

/** Messages that a closed page left unsent go out now, under their old ids. */
function resume() {
  for (const { id, state, body } of [...memory.entries]) {
    if (state !== "sending" && state !== "stuck") continue;
    if (body) outbox.add(id, { body });
    else change(id, { state: "failed", problem: say.fileForgotten });
  }
}

// ---- what is going on ----------------------------------------------------------------------------------

let typingTimer;
function typing(on) {
  clearTimeout(typingTimer);
  $("typing").hidden = !on;
  $("spoken").textContent = on ? say.typing : "";
  if (!on) return;
  screen.toEnd();
  typingTimer = setTimeout(() => typing(false), TYPING_AT_MOST_MS);
}

let isAway = false;
let noticeTimer = null;
function lineIs(state) {
  if (state === "down") {
    typing(false);
    noticeTimer ??= setTimeout(() => notice("away"), isAway ? 0 : AWAY_AFTER_MS);
    return;
  }
  if (noticeTimer === null) return;
  if (outbox.stuck) return void outbox.hurry(); // back only when what was written gets through
  clearTimeout(noticeTimer);
  noticeTimer = null;
  if (isAway) notice("back");
}

function notice(kind) {
  isAway = kind === "away";
  $("notice").dataset.kind = kind;
  $("notice").textContent = say[kind];
  if (kind === "back") setTimeout(() => isAway || ($("notice").textContent = ""), BACK_SHOWN_MS);
}

function trouble(text, place = "trouble") {
  $(place).textContent = text;
}

// ---- writing -------------------------------------------------------------------------------------------

const words = $("words");
function fit() {
  words.style.height = "auto";
  words.style.height = `${words.scrollHeight + 2}px`;
  $("send").disabled = !words.value.trim();
}

function write(text) {
  words.value = text;
  fit();
  words.focus();
}

words.addEventListener("input", () => {
  fit();
  trouble("");
});
words.addEventListener("keydown", (event) => {
  // While an input method composes a letter, Enter belongs to it (229: browsers that report it late).
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  $("composer").requestSubmit();
});
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = words.value;
  if (!text.trim()) return;
  const length = [...text].length;
  if (length > textLimit) {
    const format = (number) => number.toLocaleString("vi-VN");
    trouble(say.textTooLong.replace("{length}", format(length)).replace("{limit}", format(textLimit)));
    return;
  }
  post({ kind: "text", text }, text);
  write("");
});

// ---- things to send along ------------------------------------------------------------------------------

function tray(open) {
  $("tray").hidden = !open;
  $("attach").setAttribute("aria-expanded", String(open));
}

function sendFile(file) {
  if (file.size > fileLimit) {
    trouble(say.fileTooLarge.replace("{limit}", Math.floor(fileLimit / 1_000_000)));
    return;
  }
  const kind = { image: "photo", audio: "voice", video: "video" }[file.type.split("/")[0]] ?? "file";
  post({ kind }, "", { file, shown: { file: { name: file.name, bytes: file.size } } });
}

for (const button of document.querySelectorAll("[data-pick]")) {
  const input = $(button.dataset.pick);
  button.addEventListener("click", () => {
    trouble("");
    input.click();
  });
  input.addEventListener("change", () => {
    tray(false);
    for (const file of input.files) sendFile(file);
    input.value = "";
    $("attach").focus();
  });
}
$("attach").addEventListener("click", () => tray($("tray").hidden));
$("composer").addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || $("tray").hidden) return;
  tray(false);
  $("attach").focus();
});
$("sticker").addEventListener("click", () => {
  tray(false);
  post({ kind: "sticker" });
  $("attach").focus();
});

// ---- dialogs -------------------------------------------------------------------------------------------

for (const [opener, dialog] of [["open-guide", "guide"], ["open-fresh", "fresh"], ["open-place", "place"]]) {
  $(opener).addEventListener("click", () => $(dialog).showModal());
}
for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
for (const button of document.querySelectorAll(".sample")) {
  button.addEventListener("click", () => {
    button.closest("dialog")?.close();
    write(button.textContent);
  });
}
$("fresh-confirm").addEventListener("click", () => {
  memory.startAnew();
  location.reload();
});
memory.onTakenOver(() => location.reload());

$("place-here").addEventListener("click", () => {
  trouble("", "place-trouble");
  const missing = () => trouble(say.noPlace, "place-trouble");
  if (!navigator.geolocation) return missing();
  navigator.geolocation.getCurrentPosition(({ coords }) => sendPlace(coords), missing, { timeout: 10_000 });
});
$("place-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sendPlace({ latitude: $("latitude").valueAsNumber, longitude: $("longitude").valueAsNumber });
});
function sendPlace({ latitude, longitude }) {
  $("place").close();
  tray(false);
  post({ kind: "location", latitude, longitude }, "", { shown: { latitude, longitude } });
  $("attach").focus();
}
$("begin").addEventListener("click", () => {
  post({ kind: "follow" });
  $("talk").focus({ preventScroll: true }); // the button is gone; the field would open the keyboard
});

// ---- go ------------------------------------------------------------------------------------------------

$("start").hidden = memory.entries.length > 0;
screen.restore(memory.entries);
fit();
line.open();
resume();
