// Serious findings of the open page, as sentences: names, structure, contrast, size of targets, width.
() => {
  const found = [];
  const say = (what, element) => found.push(`${what}: ${element ? element.outerHTML.slice(0, 120) : ""}`);
  const visible = (e) => e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const name = (e) => {
    const by = e.getAttribute("aria-labelledby");
    if (by) return by.split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ").trim();
    return (e.getAttribute("aria-label") || [...(e.labels ?? [])].map((l) => l.textContent).join(" ")
      || (e.matches("input, select, textarea") ? "" : e.textContent || [...e.querySelectorAll("img")].map((i) => i.alt).join(" "))
      || e.title || "").trim();
  };
  if (document.documentElement.lang !== "vi") say("language of the page is missing");
  if (!document.title.trim()) say("title is missing");
  if (document.querySelectorAll("h1").length !== 1) say("not exactly one h1");
  if (document.querySelectorAll("main").length !== 1) say("not exactly one main");
  let level = 0;
  for (const h of document.querySelectorAll("h1, h2, h3, h4")) {
    const now = Number(h.tagName[1]);
    if (now > level + 1) say("heading level skipped", h);
    level = now;
  }
  const ids = new Map();
  for (const e of document.querySelectorAll("[id]")) ids.set(e.id, (ids.get(e.id) ?? 0) + 1);
  for (const [id, count] of ids) if (count > 1) say(`id ${id} is used ${count} times`);
  for (const e of document.querySelectorAll("[aria-describedby], [aria-labelledby]"))
    for (const id of (e.getAttribute("aria-describedby") ?? e.getAttribute("aria-labelledby")).split(" "))
      if (!document.getElementById(id)) say("points at nothing", e);
  for (const e of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary"))
    if (visible(e) && !name(e)) say("has no name", e);
  for (const e of document.querySelectorAll("img:not([alt])")) say("picture without text", e);
  for (const e of document.querySelectorAll("svg:not([aria-hidden])"))
    if (!e.querySelector("title") && !e.getAttribute("aria-label")) say("drawing without a name", e);
  for (const e of document.querySelectorAll("table")) if (!e.querySelector("th")) say("table without headers", e);
  for (const e of document.querySelectorAll("[tabindex]")) if (Number(e.tabIndex) > 0) say("positive tabindex", e);
  const light = (c) => {
    const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const colour = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
  const ground = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const c = colour(getComputedStyle(at).backgroundColor);
      if (c.length === 3 || c[3] > 0.99) return c;
    }
    return [255, 255, 255];
  };
  for (const e of document.querySelectorAll("body *")) {
    if (!visible(e) || ![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || e.closest("[disabled], svg")) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(colour(style.color)), light(ground(e))].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.6 && Number(style.fontWeight) >= 700);
    if ((a + 0.05) / (b + 0.05) < (large ? 3 : 4.5)) say("too little contrast", e);
  }
  for (const e of document.querySelectorAll("button, input[type=checkbox], input[type=radio], select, .button")) {
    const box = e.getBoundingClientRect();
    if (visible(e) && (box.width < 24 || box.height < 24) && !e.classList.contains("hidden") && !e.closest("label")) say("target smaller than 24 px", e);
  }
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth + 1) say("page is wider than the window");
  return found;
}
