/** Kernel grids, numerics, forms and recorded cases on engines the test runner does not reach: imports test files, runs them, prints a JSON line.
 *  Arguments: file names to run (all without any); --list prints the names instead. */
/// <reference types="vite/client" />
import { loadFull } from "../../src/full.ts";
import { runAll } from "./miniRunner.ts";

await loadFull(); // as test/setup.ts: a bundle of a package without side effects drops the import of a file that only has one

const files = import.meta.glob([
  "../kernels/*.test.ts",
  "../numerics/*.test.ts",
  "../forms/*.test.ts",
  "../recorded/aimet.test.ts",
  "!../kernels/layout.test.ts",
]);

const wanted = process.argv.slice(2);
const names = Object.keys(files).filter((name) => wanted.length === 0 || wanted.includes(name));

if (wanted[0] === "--list") console.log(JSON.stringify(Object.keys(files)));
else {
  for (const name of names) await files[name]?.();
  console.log(JSON.stringify({ files: names.length, ...(await runAll()) }));
}
