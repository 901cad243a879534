// Keeps a page fresh: everything on it works without this. No part of the page is built from text.
"use strict";
(() => {
  const EVERY = 20000;
  const skew = Date.now() - Date.parse(document.body.dataset.now);
  const now = () => Date.now() - skew;
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

  function duration(seconds) {
    const parts = [];
    for (const [length, unit] of units) {
      const many = Math.floor(seconds / length);
      seconds -= many * length;
      if (many > 0) parts.push(many + " " + unit);
      else if (parts.length) break;
      if (parts.length === 2) break;
    }
    return parts.join(" ") || "0 s";
  }

  function relative(at, known) {
    const since = Math.trunc((now() - at) / 1000), seconds = known ? Math.max(since, 0) : since;
    if (seconds === 0) return "now";
    return seconds > 0 ? duration(seconds) + " ago" : "in " + duration(-seconds);
  }

  // Ages go on: "12 s ago" alone, or in brackets behind a moment.
  function tick() {
    if (document.hidden) return;
    for (const time of document.querySelectorAll("main time[datetime]")) {
      const at = Date.parse(time.dateTime);
      if (Number.isNaN(at) || time.childElementCount) continue;
      const text = time.textContent, age = relative(at, time.classList.contains("known"));
      const next = time.classList.contains("age") ? age : text.replace(/UTC \(.*\)$/, "UTC (" + age + ")");
      if (next !== text) time.textContent = next;
    }
  }

  // Where an element is, in words that hold in the next copy of the page too.
  function place(element, root) {
    const path = [];
    for (; element && element !== root; element = element.parentElement) {
      if (element.id) { path.push("#" + CSS.escape(element.id)); return path.reverse().join(" > "); }
      path.push(element.localName + ":nth-child(" + (1 + [...element.parentElement.children].indexOf(element)) + ")");
    }
    return path.reverse().join(" > ");
  }

  function busy(main) {
    const focus = document.activeElement;
    const writes = main.contains(focus) && focus.matches("input, textarea, select, button, [contenteditable]");
    const written = [...main.querySelectorAll("input, textarea, select")].some((field) =>
      field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
        : field.localName === "select" ? [...field.options].some((one) => one.selected !== one.defaultSelected)
        : field.value !== field.defaultValue);
    const selection = getSelection();
    return writes || written || (selection && !selection.isCollapsed);
  }

  async function refresh() {
    const main = document.getElementById("main");
    // The answer to a form is not to be had again by asking for its address.
    if (document.hidden || busy(main) || main.querySelector("[data-still]")) return;
    let next;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
      if (!answer.ok) return;
      next = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch { return; }
    const fresh = next.getElementById("main");
    if (!fresh || busy(main)) return;
    const details = [...main.querySelectorAll("details")].map((one) => [place(one, main), one.open]);
    const moved = [...main.querySelectorAll(".scroll, .canvas, pre")].filter((one) => one.scrollLeft || one.scrollTop)
      .map((one) => [place(one, main), one.scrollLeft, one.scrollTop]);
    const focus = main.contains(document.activeElement) && document.activeElement !== main ? place(document.activeElement, main) : null;
    const find = (path) => path && main.querySelector(path.startsWith("#") ? path : ":scope > " + path);
    main.replaceChildren(...fresh.childNodes);
    for (const [path, open] of details) { const one = find(path); if (one) one.open = open; }
    for (const [path, left, top] of moved) { const one = find(path); if (one) { one.scrollLeft = left; one.scrollTop = top; } }
    const again = find(focus);
    if (again) again.focus({ preventScroll: true });
    const notices = document.getElementById("notices");
    const news = next.getElementById("notices");
    if (notices && news && notices.textContent !== news.textContent) notices.replaceChildren(...news.childNodes);
    tick();
  }

  // What a chart says under the pointer: read from the line itself.
  const ways = {
    percent: (value) => +(value * 100).toPrecision(6) + " %",
    seconds: (value) => (Math.abs(value) < 1 ? +(value * 1000).toPrecision(3) + " ms" : Math.abs(value) < 60 ? +value.toPrecision(3) + " s" : duration(Math.round(Math.abs(value)))),
    number: (value) => String(+value.toPrecision(5)),
  };

  function points(svg) {
    const found = [];
    for (const step of (svg.querySelector("path.line")?.getAttribute("d") || "").match(/[ML][^ML]*/g) || []) {
      const [x, y] = step.slice(1).split(" ").map(Number);
      found.push({ x, y, first: step[0] === "M" });
    }
    return found;
  }

  function clear() {
    for (const one of document.querySelectorAll(".cursor, .readout")) one.remove();
  }

  function point(event) {
    const svg = event.target.closest?.(".canvas svg");
    clear();
    if (!svg || !svg.dataset.box) return;
    const [left, top, right, bottom] = svg.dataset.box.split(" ").map(Number);
    const box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width;
    const x = (event.clientX - box.left) * scale;
    if (x < left || x > right) return;
    const all = points(svg);
    const after = all.findIndex((one) => one.x >= x);
    const [from, to, low, high] = ["from", "to", "low", "high"].map((name) => Number(svg.dataset[name]));
    const at = new Date((from + ((x - left) / (right - left)) * (to - from)) * 1000);
    let value = null;
    if (after > 0 && !all[after].first) {
      const [one, other] = [all[after - 1], all[after]];
      const y = one.y + ((x - one.x) / (other.x - one.x || 1)) * (other.y - one.y);
      value = low + ((bottom - y) / (bottom - top)) * (high - low);
    }
    const line = document.createElementNS(svg.namespaceURI, "line");
    for (const [name, number] of [["x1", x], ["x2", x], ["y1", top], ["y2", bottom]]) line.setAttribute(name, number);
    line.setAttribute("class", "cursor");
    svg.append(line);
    const said = document.createElement("div");
    said.className = "readout";
    said.setAttribute("aria-hidden", "true");
    said.textContent = at.toISOString().slice(0, 16).replace("T", " ") + " UTC · " + (value === null ? "not measured" : (ways[svg.dataset.unit] || ways.number)(value));
    svg.parentElement.append(said);
    const room = svg.parentElement.scrollLeft + svg.parentElement.clientWidth - said.offsetWidth - 4;
    said.style.left = Math.max(0, Math.min(room, x / scale + 10)) + "px";
  }

  document.addEventListener("pointermove", point);
  document.addEventListener("pointerleave", clear);
  setInterval(tick, 1000);
  setInterval(refresh, EVERY);
})();
