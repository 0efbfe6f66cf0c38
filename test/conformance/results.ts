/** What the peers' suites proved, kept beside them: docs/operators.md is made of these files and the code. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

/** Passed tests by operator. */
export interface SuiteResults {
  readonly suite: string;
  readonly passed: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>; // by the operator that is in no table of ours
}

const FOLDER = join(import.meta.dirname, "results");

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Compares what a suite gave with its recorded file; BITEXACT_RECORD=1 writes the file instead. */
export function recordResults(
  file: string,
  suite: string,
  passed: ReadonlyMap<string, number>,
  refused: ReadonlyMap<string, number>,
): void {
  const path = join(FOLDER, `${file}.json`);
  const results: SuiteResults = { suite, passed: sorted(passed), refused: sorted(refused) };
  if (process.env.BITEXACT_RECORD === "1") writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`);
  expect(existsSync(path), `${path} is missing; run the tests with BITEXACT_RECORD=1`).toBe(true);
  expect(JSON.parse(readFileSync(path, "utf8")), "results changed; run the tests with BITEXACT_RECORD=1").toEqual(results);
}

/** Adds one to each key's count. */
export function count(counts: Map<string, number>, keys: Iterable<string>): void {
  for (const key of new Set(keys)) counts.set(key, (counts.get(key) ?? 0) + 1);
}
