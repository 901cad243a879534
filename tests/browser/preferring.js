// A page whose user wants no motion, and colours of their own.
(() => {
  const all = [...document.querySelectorAll("*")];
  const moves = all.filter((node) => {
    const style = getComputedStyle(node);
    return parseFloat(style.transitionDuration) > 0.01 || (style.animationName !== "none" && parseFloat(style.animationDuration) > 0.01) ||
      style.scrollBehavior === "smooth";
  });
  const root = document.documentElement;
  const node = document.activeElement;
  const style = getComputedStyle(node);
  return {
    moves: moves.slice(0, 3).map((node) => `${node.localName}.${node.getAttribute("class")}`),
    running: document.getAnimations().length,
    wide: root.scrollWidth > root.clientWidth,
    // Shadows are not drawn in forced colours: the focus needs an outline.
    focus: node === document.body || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1),
    forced: matchMedia("(forced-colors: active)").matches && matchMedia("(prefers-reduced-motion: reduce)").matches,
  };
})()
