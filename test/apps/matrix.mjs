// The results as a matrix: for the terminal and for docs/matrix.md.
const SIGNS = { passed: "✓", failed: "✗", "not run": "○" };

/** Throws unless every digest and verdict of `found` is the one of `expected`, and it ran on `threads`. */
export function expectPart(found, expected, threads) {
  const differs = Object.entries(found).filter(([name, value]) => value !== (name.endsWith(", threads") ? threads : expected[name]));
  if (differs.length > 0 || Object.keys(found).length === 0) throw new Error(`found ${JSON.stringify(found)}`);
}

const unique = (values) => [...new Set(values)];

function grid(results) {
  const columns = unique(results.map(({ column }) => column));
  const rows = unique(results.map(({ row }) => row));
  const sign = (row, column) => SIGNS[results.find((one) => one.row === row && one.column === column)?.state] ?? "";
  return { columns, rows: rows.map((row) => ({ row, signs: columns.map((column) => sign(row, column)) })) };
}

const notRun = (results) => unique(results.filter(({ state }) => state === "not run").map(({ row, why }) => `${row}: not run, ${why}`));

/** One line per row for the terminal. */
export function table(results) {
  const { columns, rows } = grid(results);
  const lines = rows.map(({ row, signs }) => {
    const done = columns.map((column, i) => (signs[i] ? `${signs[i]} ${column}` : "")).filter(Boolean);
    return `${row.padEnd(30)} ${done.join("  ")}`;
  });
  return [...lines, ...notRun(results)].join("\n");
}

const line = (cells) => `| ${cells.join(" | ")} |`;

function section(title, text, results) {
  const { columns, rows } = grid(results);
  const body = rows.map(({ row, signs }) => line([row, ...signs]));
  return [`## ${title}`, "", text, "", line(["", ...columns]), line(["---", ...columns.map(() => ":-:")]), ...body, "", ...notRun(results)]
    .join("\n")
    .trimEnd();
}

/** docs/matrix.md. */
export function markdown(results) {
  const ofPages = new Set(results.filter(({ column }) => column === "plain").map(({ row }) => row));
  const pages = results.filter(({ row }) => ofPages.has(row));
  const engines = results.filter(({ row }) => !ofPages.has(row));
  return `# Where it runs

Written by \`npm run apps -- --write\`. Every tick is a program that was built from the packed tarball and run: two bundled networks, every captured
value, one SHA-256 per network equal to Node's. ✓ passed · ✗ failed · ○ not run here. How to set each one up: [embedding.md](embedding.md).

${section("Engines", '"Clear error": without support for `require` of ES modules, the error names the way out.', engines)}

${section("Browsers and bundlers", "The columns are headers of the server; bundled apps run in Chromium. The last three are set up to fail: the error must name the remedy.", pages)}
`;
}
