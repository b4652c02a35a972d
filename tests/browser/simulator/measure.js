// Measures the visible page: contrast of every text and control, size of every target, ids and tab order.
() => {
  const troubles = [];
  const scope = document.querySelector("dialog[open]") ?? document.body;

  const rgba = (css) => {
    const [r, g, b, a = 1] = css.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, below) => {
    const mix = (x, y) => x * top.a + y * (1 - top.a);
    return { r: mix(top.r, below.r), g: mix(top.g, below.g), b: mix(top.b, below.b), a: 1 };
  };
  const backgroundOf = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const layer = rgba(getComputedStyle(at).backgroundColor);
      layers.push(layer);
      if (layer.a === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
  };
  const luminance = ({ r, g, b }) => {
    const linear = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const contrast = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const need = (ratio, least, what) => {
    if (ratio < least) troubles.push(`contrast ${ratio.toFixed(2)} < ${least}: ${what}`);
  };

  let texts = 0;
  const walker = document.createTreeWalker(scope, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const words = walker.currentNode.data.trim();
    if (!words || !element.checkVisibility() || element.closest(".quiet, :disabled, noscript")) continue;
    const style = getComputedStyle(element);
    const background = backgroundOf(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    need(contrast(over(rgba(style.color), background), background), large ? 3 : 4.5, words.slice(0, 40));
    texts++;
  }
  for (const svg of scope.querySelectorAll("svg")) {
    if (!svg.checkVisibility() || svg.closest(":disabled")) continue;
    const background = backgroundOf(svg.parentElement);
    need(contrast(over(rgba(getComputedStyle(svg).stroke), background), background), 3, `icon in ${svg.parentElement.outerHTML.slice(0, 60)}`);
  }
  for (const control of scope.querySelectorAll("textarea, input:not([type=file]), .choice, .plain")) {
    if (!control.checkVisibility()) continue;
    const around = backgroundOf(control.parentElement);
    need(contrast(over(rgba(getComputedStyle(control).borderTopColor), around), around), 3, `edge of ${control.outerHTML.slice(0, 60)}`);
  }
  const hint = scope.querySelector("textarea");
  if (hint) {
    const background = backgroundOf(hint);
    need(contrast(over(rgba(getComputedStyle(hint, "::placeholder").color), background), background), 4.5, "placeholder");
  }

  let targets = 0;
  for (const target of scope.querySelectorAll("button, a, textarea, input:not([type=file])")) {
    if (!target.checkVisibility()) continue;
    const { width, height } = target.getBoundingClientRect();
    const inText = target.tagName === "A" && getComputedStyle(target).display === "inline";
    if (!inText && (width < 40 || height < 40)) troubles.push(`small target ${width}x${height}: ${target.outerHTML.slice(0, 60)}`);
    targets++;
  }

  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) troubles.push(`double id ${id}`);
  for (const element of document.querySelectorAll("[tabindex]"))
    if (element.tabIndex > 0) troubles.push(`tab order of ${element.id}`);
  for (const element of document.querySelectorAll("[aria-controls], [aria-describedby], [aria-labelledby]"))
    for (const name of ["aria-controls", "aria-describedby", "aria-labelledby"])
      if (element.hasAttribute(name) && !document.getElementById(element.getAttribute(name)))
        troubles.push(`${name} names nothing: ${element.id}`);
  if (document.querySelectorAll("h1").length !== 1) troubles.push("not one h1");
  return { troubles, texts, targets };
}
