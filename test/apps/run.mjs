// Tries the packed package everywhere: packs, installs, builds apps, runs them, prints a matrix and the totals.
// --write: the matrix to docs/matrix.md. --only TEXT: rows that contain it. --keep: leaves the folder of the apps.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { serve } from "../browsers/server.mjs";
import { engineChecks } from "./engines.mjs";
import { markdown, table } from "./matrix.mjs";
import { pageChecks } from "./pages.mjs";
import { openWorkshop, root, run } from "./workshop.mjs";

const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : "";

async function tried(check) {
  const { row, column, missing } = check;
  if (missing) return { row, column, state: "not run", why: missing };
  const start = Date.now();
  try {
    await check.run();
    console.log(`    ${row}, ${column}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
    return { row, column, state: "passed" };
  } catch (error) {
    console.log(`    FAILED  ${row}, ${column}: ${error.message}`);
    return { row, column, state: "failed", why: error.message };
  }
}

/** What is in the tarball and what is not. */
function contents({ files, installed }) {
  const needed = ["LICENSE", "README.md", "dist/THIRD-PARTY-LICENSES.txt", "dist/index.js", "dist/inline.js", "dist/kernels/simd.wasm"];
  const absent = needed.filter((name) => !files.includes(name));
  const foreign = files.filter((name) => !/^(dist|models)\/|^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(name));
  if (absent.length + foreign.length > 0) throw new Error(`absent: ${absent.join(", ")}; not expected: ${foreign.join(", ")}`);
  if (installed.join() !== "bitexact") throw new Error(`npm install brought ${installed.join(", ")}`);
}

async function main() {
  const workshop = openWorkshop();
  console.log(`bitexact: ${workshop.files.length} files, ${workshop.size} bytes packed`);
  const { folder } = workshop;
  let expected;
  const answer = () => expected;
  const server = await serve(mounts(folder));
  const pages = pageChecks(workshop, server, answer);
  const results = [];
  try {
    expected = JSON.parse(await run(process.execPath, ["import.mjs", "main"], join(folder, "node")));
    const wrong = Object.entries(expected).filter(([name, found]) => name.endsWith("verified") && found !== "exact");
    if (wrong.length > 0) throw new Error(`apps: ${JSON.stringify(wrong)}`);
    const packed = { row: "the tarball", column: "files", missing: null, run: async () => contents(workshop) };
    const checks = [packed, ...engineChecks(workshop, answer), ...pages.checks];
    for (const check of checks) if (check.row.includes(only) || check.column === "builds") results.push(await tried(check));
  } finally {
    await pages.close();
    server.close();
    if (!process.argv.includes("--keep")) workshop.remove();
    else console.log(`kept: ${folder}`);
  }
  console.log(table(results));
  if (process.argv.includes("--write")) writeFileSync(join(root, "docs", "matrix.md"), markdown(results, expected));
  const failed = results.filter(({ state }) => state === "failed").length;
  console.log(`apps: ${results.filter(({ state }) => state === "passed").length} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

function mounts(folder) {
  const apps = ["native", "shared", "webpack", "esbuild", "rollup"].map((name) => [name, join(folder, name)]);
  return { ...Object.fromEntries(apps), "vite-dist": join(folder, "vite", "dist"), package: join(folder, "node_modules", "bitexact") };
}

await main();
