/** NonMaxSuppression: boxes kept by score unless they overlap one kept before. Source: NonMaxSuppression-10/11. */

import { integers } from "./arrays.ts";
import { int, readAttrs } from "./attributes.ts";
import { constantValues, numbersAt, required, requireFloat, requireRank, shapeError } from "./checks.ts";
import { defineOp, type Numbers, type OpDef, type TypeInfo } from "./op.ts";
import { erased } from "./registry.ts";

interface SuppressionAttrs {
  readonly center_point_box: number; // 0: two opposite corners, y before x; 1: center x, y, width, height
}

interface Box {
  readonly index: number;
  readonly score: number;
  readonly lo: readonly [number, number];
  readonly hi: readonly [number, number];
}

function boxAt(boxes: Numbers, batch: number, index: number, score: number, centered: boolean): Box {
  const at = (batch * (boxes.dims[1] as number) + index) * 4;
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => boxes.data[at + i] as number) as [number, number, number, number];
  if (centered) return { index, score, lo: [b - d / 2, a - c / 2], hi: [b + d / 2, a + c / 2] };
  return { index, score, lo: [Math.min(a, c), Math.min(b, d)], hi: [Math.max(a, c), Math.max(b, d)] };
}

/** Area shared over area covered. Boxes without area overlap nothing. */
function overlap(a: Box, b: Box): number {
  const side = (axis: 0 | 1): number => Math.max(0, Math.min(a.hi[axis], b.hi[axis]) - Math.max(a.lo[axis], b.lo[axis]));
  const area = (box: Box): number => (box.hi[0] - box.lo[0]) * (box.hi[1] - box.lo[1]);
  const shared = side(0) * side(1);
  const [first, second] = [area(a), area(b)];
  return first <= 0 || second <= 0 ? 0 : shared / (first + second - shared);
}

/** [batch, class, box] of every kept box: by batch, class and falling score, ties by the lower index. */
function selectBoxes(inputs: readonly (Numbers | null)[], attrs: SuppressionAttrs): number[] {
  const [boxes, scores] = [numbersAt(inputs, 0), numbersAt(inputs, 1)];
  const scalar = (i: number): number | undefined => inputs[i]?.data[0];
  const most = scalar(2) ?? 0;
  const [limit, least] = [scalar(3) ?? 0, scalar(4)];
  const [batches, classes, count] = scores.dims as [number, number, number];
  const kept: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    for (let kind = 0; kind < classes; kind++) {
      const from = (batch * classes + kind) * count;
      const candidates = Array.from({ length: count }, (_, i) => i)
        .filter((i) => least === undefined || (scores.data[from + i] as number) > least)
        .map((i) => boxAt(boxes, batch, i, scores.data[from + i] as number, attrs.center_point_box === 1))
        .sort((a, b) => b.score - a.score || a.index - b.index);
      const chosen: Box[] = [];
      for (const box of candidates) {
        if (chosen.length >= most) break;
        if (chosen.every((other) => overlap(box, other) <= limit)) chosen.push(box);
      }
      for (const { index } of chosen) kept.push(batch, kind, index);
    }
  }
  return kept;
}

function known(info: TypeInfo | null, index: number): Numbers | null {
  return info && { dims: info.dims, data: Float64Array.from(constantValues(info, index)) };
}

const nonMaxSuppression = defineOp<SuppressionAttrs>({
  type: "NonMaxSuppression",
  since: 10,
  arity: { inputs: [2, 5], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { center_point_box: int(0) }),
  infer(inputs, attrs) {
    const [boxes, scores] = [required(inputs, 0), required(inputs, 1)];
    requireFloat(boxes, 0);
    requireFloat(scores, 1);
    requireRank(boxes, 0, 3);
    requireRank(scores, 1, 3);
    if (boxes.dims[2] !== 4 || boxes.dims[0] !== scores.dims[0] || boxes.dims[1] !== scores.dims[2])
      throw shapeError(`boxes [${boxes.dims}] and scores [${scores.dims}], expected [batch, boxes, 4] and [batch, classes, boxes]`);
    const kept = selectBoxes(inputs.map(known), attrs);
    return [{ type: "int64", dims: [kept.length / 3, 3] }];
  },
  float(inputs, attrs) {
    const kept = selectBoxes(inputs, attrs);
    return [integers([kept.length / 3, 3], Float64Array.from(kept))];
  },
  traits: {},
});

export const SUPPRESSIONS: readonly OpDef[] = [erased(nonMaxSuppression)];
