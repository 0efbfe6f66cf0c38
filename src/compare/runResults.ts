/** Two runs on the same inputs: tensors whose elements, type, shape or encoding differ. */
import { type Change, differing, type Figure, type Findings, paired } from "./report.ts";
import type { RunResult } from "./schema.ts";

type Tensor = RunResult["tensors"][number];

const FIGURES: Readonly<Record<string, (tensor: Tensor) => Figure>> = {
  type: ({ type }) => type,
  dims: ({ dims }) => dims.join("×"),
  scale: ({ scale }) => scale,
  zeroPoint: ({ zeroPoint }) => zeroPoint,
  sha256: ({ sha256 }) => sha256,
  min: ({ min }) => min,
  max: ({ max }) => max,
};

/** Every difference of a tensor is a regression: there is one right result. The time of a run counts when `tolerance` is given. */
export function compareRun(before: RunResult, after: RunResult, tolerance: number | null): Findings {
  const { pairs, appeared, vanished } = paired(before.tensors, after.tensors, ({ name }) => name);
  const entry = ({ name }: Tensor) => ({ scope: "tensor", subject: name });
  const changes = pairs.map(([old, fresh]): Change => ({ ...entry(fresh), differences: differing(old, fresh, FIGURES) }));
  const differ = changes.filter(({ differences }) => differences.length > 0);
  const times = { millisecondsPerSample: (result: RunResult): number => result.millisecondsPerSample };
  const time: Change = { scope: "model", subject: "model", differences: differing(before, after, times) };
  const [was, is] = [before.millisecondsPerSample, after.millisecondsPerSample];
  return {
    settings: differing(before, after, { target: ({ target }) => target, variant: ({ variant }) => variant }),
    worse: [...differ, ...(tolerance !== null && is > was * (1 + tolerance) ? [time] : [])],
    changed: [],
    better: tolerance !== null && was > is * (1 + tolerance) ? [time] : [],
    appeared: appeared.map(entry),
    vanished: vanished.map(entry),
    unchanged: changes.length - differ.length,
  };
}
