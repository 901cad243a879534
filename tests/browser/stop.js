// Where the focus is, and whether it can be seen there.
(() => {
  const node = document.activeElement;
  if (!node || node === document.body) return null;
  const style = getComputedStyle(node);
  const box = node.getBoundingClientRect();
  const ringed = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== "none";
  return {
    place: window.slodStops.indexOf(node),
    what: `${node.localName} ${(node.textContent || node.name || "").trim().slice(0, 40)}`,
    href: node.getAttribute("href"),
    ringed,
    inside: box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth,
    scrolls: node.scrollWidth > node.clientWidth || node.scrollHeight > node.clientHeight,
  };
})()
