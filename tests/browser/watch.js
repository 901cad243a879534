// Runs before any script of a page: notes what a page must never do.
(() => {
  const seen = { called: [], refused: [], failed: [], shift: 0, shifted: [] };
  window.slodSeen = seen;
  for (const name of ["alert", "confirm", "prompt", "print"]) {
    window[name] = (text) => { seen.called.push(`${name}(${text})`); };
  }
  document.addEventListener("securitypolicyviolation", (event) => {
    seen.refused.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
  });
  window.addEventListener("error", (event) => { seen.failed.push(`${event.message} ${event.filename}:${event.lineno}`); });
  window.addEventListener("unhandledrejection", (event) => { seen.failed.push(`${event.reason}`); });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      seen.shift += entry.value;
      for (const source of entry.sources) seen.shifted.push(source.node ? source.node.nodeName : "?");
    }
  }).observe({ type: "layout-shift", buffered: true });
})();
