// What is to be known of a loaded page. Works where the page itself may run no script.
(() => {
  const root = document.documentElement;
  const all = [...document.querySelectorAll("*")];
  const name = (node) => node.nodeName.toLowerCase() + (node.id ? `#${node.id}` : "") +
    (node.getAttribute("class") ? `.${node.getAttribute("class").trim().replace(/\s+/g, ".")}` : "");
  const wide = all.filter((node) => {
    const box = node.getBoundingClientRect();
    if (box.width === 0 || box.right <= root.clientWidth + 1) return false;
    // What a scrolling box holds may be wider than the box.
    for (let up = node.parentElement; up; up = up.parentElement) {
      if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(up).overflowX)) return false;
    }
    return true;
  });
  const origin = (node, attribute) => {
    const value = node.getAttribute(attribute);
    return value !== null && new URL(value, document.baseURI).origin !== location.origin;
  };
  return {
    title: document.title,
    headings: document.querySelectorAll("h1").length,
    lang: root.lang,
    scrollWidth: root.scrollWidth,
    clientWidth: root.clientWidth,
    wide: wide.slice(0, 5).map((node) => `${name(node)} to ${Math.round(node.getBoundingClientRect().right)}`),
    handlers: all.flatMap((node) => node.getAttributeNames().filter((key) => key.startsWith("on")).map((key) => `${name(node)}[${key}]`)),
    styled: all.filter((node) => node.hasAttribute("style")).slice(0, 3).map(name),
    scripts: [...document.scripts].filter((script) => !script.src || origin(script, "src")).length,
    foreign: all.filter((node) => ["img", "iframe", "object", "embed", "link", "source"].includes(node.localName) &&
      (origin(node, "src") || (node.localName === "link" && origin(node, "href")) || node.getAttribute("src") === "x")).map(name),
    unsafe: [...document.querySelectorAll("a[href], form[action]")].map((node) => node.getAttribute("href") || node.getAttribute("action"))
      .filter((address) => /^\s*(javascript|data|vbscript):/i.test(address)),
    ids: (() => { const ids = all.map((node) => node.id).filter(Boolean); return ids.filter((id, place) => ids.indexOf(id) !== place); })(),
    length: document.body.innerText.length,
    seen: window.slodSeen || null,
  };
})()
