// The rules that a page is held to. axe-core itself was evaluated before.
axe.run(document, {
  runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] },
  resultTypes: ["violations"],
  // Would ask for style sheets again.
  preload: false,
}).then((found) => found.violations.map((rule) => {
  const where = rule.nodes.slice(0, 3).map((node) => `${node.target.join(" ")}: ${node.html.slice(0, 160)} ${
    (node.any[0] || node.all[0] || node.none[0] || { message: "" }).message}`);
  return `${rule.id} (${rule.help}), ${rule.nodes.length} times: ${where.join(" | ")}`;
}))
