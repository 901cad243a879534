// All that the Tab key should stop at, in the order of the page; a group of radio buttons is one stop.
(() => {
  const shown = (node) => node.checkVisibility({ visibilityProperty: true }) && node.getClientRects().length > 0;
  const groups = new Set();
  window.slodStops = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")].filter((node) => {
    if (node.disabled || node.tabIndex < 0 || node.type === "hidden" || !shown(node)) return false;
    if (node.type !== "radio") return true;
    const known = groups.has(node.name);
    groups.add(node.name);
    return !known;
  });
  return window.slodStops.length;
})()
