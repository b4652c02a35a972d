// Small comforts on pages that work without this script.
"use strict";

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// What went wrong is read out and seen first.
document.getElementById("problem")?.scrollIntoView({ block: "center" });

// Keys for clerks who work through a list: J and K walk, X ticks, Enter opens, others press what carries data-key.
const rows = [...document.querySelectorAll("[data-row]")];
let at = -1;
function walk(step) {
  if (!rows.length) return;
  rows[at]?.classList.remove("here");
  at = Math.max(0, Math.min(rows.length - 1, at + step));
  rows[at].classList.add("here");
  rows[at].querySelector("a")?.focus();
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey && event.key === "Enter" && event.target.form) { event.target.form.requestSubmit(); return; }
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input:not([type=checkbox]), select, textarea")) return;
  const key = event.key.toLowerCase();
  if (key === "j") walk(1);
  else if (key === "k") walk(-1);
  else if (key === "x" && at >= 0) { const box = rows[at].querySelector("input[type=checkbox]"); if (box) box.checked = !box.checked; }
  else {
    const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!target) return;
    if (target.matches("a")) target.click(); else target.focus();
    event.preventDefault();
  }
});

document.getElementById("all")?.addEventListener("change", (event) => {
  for (const box of document.querySelectorAll("input[name=id]")) box.checked = event.target.checked;
});

// A running announcement is followed without reloading the page.
const bar = document.querySelector("progress[data-poll]");
async function follow() {
  const answer = await fetch(bar.dataset.poll).catch(() => null);
  if (!answer?.ok) return;
  const { done, total, state } = await answer.json();
  bar.value = done;
  document.getElementById("progress-text").textContent = `${done} / ${total}`;
  if (state !== "running" || done >= total) location.reload(); else setTimeout(follow, 2000);
}
if (bar) setTimeout(follow, 2000);

// An open board says when concerns have arrived or a colleague has changed something; it never moves by itself.
// The projector does: nobody works on it.
const news = document.querySelector("[data-pulse]");
if (news) setInterval(async () => {
  const answer = document.hidden ? null : await fetch(news.dataset.pulse).catch(() => null);
  if (!answer?.ok || String((await answer.json()).mark) === news.dataset.mark) return;
  if (news.dataset.reload) location.reload(); else news.hidden = false;
}, 3000);
