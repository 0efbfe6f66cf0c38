/** What changed from one result of `verify`, `bench` or `run` to another of the same kind. */
import { modelError } from "../errors.ts";
import { compareBench } from "./benchResults.ts";
import type { CompareReport, Findings } from "./report.ts";
import { compareRun } from "./runResults.ts";
import type { Result } from "./schema.ts";
import { compareVerify } from "./verifyResults.ts";

/** Times within this share of each other are the same, unless another tolerance is given. */
export const DEFAULT_TOLERANCE = 0.05;

/** Compares `after` with `before`. tolerance: share by which a time may grow; a run's time is compared only when one is given.
 *  throws ModelError "compare/kinds" for results of two kinds, "compare/samples" for results over different numbers of samples. */
export function compareResults(before: Result, after: Result, tolerance: number | null): CompareReport {
  if (before.kind === "bench" && after.kind === "bench") {
    const share = tolerance ?? DEFAULT_TOLERANCE;
    return reportOf("bench", share, compareBench(before.result, after.result, share));
  }
  if (before.kind === "verify" && after.kind === "verify") {
    checkSamples(before.result.samples, after.result.samples);
    return reportOf("verify", null, compareVerify(before.result, after.result));
  }
  if (before.kind === "run" && after.kind === "run") {
    checkSamples(before.result.samples, after.result.samples);
    return reportOf("run", tolerance, compareRun(before.result, after.result, tolerance));
  }
  throw modelError(
    "compare/kinds",
    `found a result of ${before.kind} and one of ${after.kind}, expected two of the same kind. Write both with the same command.`,
  );
}

function checkSamples(before: number, after: number): void {
  if (before === after) return;
  const message = `found results over ${before} and ${after} samples, expected the same number. Write both with the same samples.`;
  throw modelError("compare/samples", message);
}

function reportOf(kind: CompareReport["kind"], tolerance: number | null, findings: Findings): CompareReport {
  const gone = kind !== "bench" && findings.vanished.length > 0;
  return { schema: "bitexact-compare/1", kind, regression: findings.worse.length > 0 || gone, tolerance, ...findings };
}
