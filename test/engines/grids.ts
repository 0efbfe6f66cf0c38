/** Kernel grids, numerics, forms and recorded cases on engines the test runner does not reach: imports test files and runs them. */
/// <reference types="vite/client" />
import { loadFull } from "../../src/full.ts";
import { type Outcome, runAll } from "./miniRunner.ts";

const files = import.meta.glob([
  "../kernels/*.test.ts",
  "../numerics/*.test.ts",
  "../forms/*.test.ts",
  "../recorded/aimet.test.ts",
  "!../kernels/layout.test.ts",
]);

export const gridFiles: readonly string[] = Object.keys(files);

/** Runs the named files, all without any. */
export async function runGrids(wanted: readonly string[]): Promise<Outcome & { readonly files: number }> {
  await loadFull(); // as test/setup.ts: a bundle of a package without side effects drops the import of a file that only has one
  const names = gridFiles.filter((name) => wanted.length === 0 || wanted.includes(name));
  for (const name of names) await files[name]?.();
  return { files: names.length, ...(await runAll()) };
}
