/** Lowers Add, Sub and Mul: linear_binary for exact arithmetic, add_q8 where integers are proven to equal it, add_fixed and mul_fixed for a fixed target. */

import { isConstant, shapeOf } from "../graph/graph.ts";
import { KIND } from "../kernels/coreElementwise.ts";
import { broadcastDescriptor, codeSumFields } from "../kernels/elementwiseArgs.ts";
import { type CodeSumConstants, proveSum } from "../numerics/proveSum.ts";
import { targetRow } from "../numerics/targets.ts";
import type { Lowering, Ref } from "../plan/lowering.ts";
import type { Layout, Storage } from "../plan/plan.ts";
import { forEachElement } from "../plan/storage.ts";
import { sizeOf } from "../tensor/shape.ts";
import { memoryOrder, operandStrides } from "./broadcastIndex.ts";
import { kindOf } from "./codes.ts";
import { rare } from "./deferred.ts";
import type { LinearData, LinearOperand } from "./linear.ts";
import { constantNumbers } from "./operands.ts";

interface Place {
  readonly ref: Ref;
  readonly kind: number;
  readonly zero: number;
  readonly strides: readonly number[];
}

/** Where both operands and the output of a layer lie, as the binary kernels read it. */
export function placeLinear(data: LinearData, ctx: Lowering) {
  const dims = shapeOf(ctx.graph, data.output);
  const layout = layoutFor(data, dims, ctx);
  const order = memoryOrder(dims.length, layout);
  const a = place(data.a, dims, layout, order, ctx);
  const b = place(data.b, dims, layout, order, ctx);
  const { words, rank, units } = broadcastDescriptor(
    order.map((axis) => dims[axis]!),
    a.strides,
    b.strides,
  );
  const storage = ctx.storage(data.encoding);
  const own = {
    a: a.ref,
    b: b.ref,
    output: ctx.output(data.output, layout),
    rank,
    shape: ctx.constant(words),
    min: data.levels.qmin + storage.shift,
    max: data.levels.qmax + storage.shift,
  };
  const kinds = { aKind: a.kind, bKind: b.kind, outKind: kindOf(storage) };
  const fields = { ...own, ...kinds, aZero: a.zero, bZero: b.zero, outZero: storage.zero };
  return { a, b, own, fields, storage, units, words, rank };
}

export function lowerLinear(data: LinearData, ctx: Lowering): void {
  const { a, b, own, fields, storage, units, words, rank } = placeLinear(data, ctx);
  const runs = [a, b].every(({ kind }, i) => kind === KIND.q8 && words[rank * (i + 2) - 1] === 1);
  const proven = runs && storage.bytes === 1 && data.op !== "mul" ? provenSum(data, a.zero, b.zero, storage) : null;
  if (targetRow(ctx.target).requantize && rare().emitFixed(data, fields, units, ctx)) return;
  if (proven) ctx.emit("add_q8", { ...own, ...codeSumFields(proven) }, units, data.node);
  else rare().emitReals(data, fields, units, ctx);
}

/** The integers of add_q8 where they are proven for these grids, whatever codes come. */
function provenSum({ op, a, b, levels }: LinearData, zeroA: number, zeroB: number, storage: Storage): CodeSumConstants | null {
  return proveSum({
    scaleA: a.scale,
    scaleB: op === "sub" ? -b.scale : b.scale,
    scale: levels.scale,
    zeroA,
    zeroB,
    zero: storage.zero,
    lowest: storage.signed ? -128 : 0,
  });
}

/** The output lies as the first operand of its own size does. */
function layoutFor(data: LinearData, dims: readonly number[], ctx: Lowering): Layout {
  for (const { id } of [data.a, data.b]) {
    const shape = shapeOf(ctx.graph, id);
    if (!isConstant(ctx.graph, id) && shape.length === dims.length && sizeOf(shape) === sizeOf(dims)) return ctx.layoutOf(id);
  }
  return "rowMajor";
}

/** Operands of the output's size lie as the output does; smaller ones are read where they lie. */
function place(operand: LinearOperand, dims: readonly number[], outLayout: Layout, order: readonly number[], ctx: Lowering): Place {
  const { id, encoding } = operand;
  const shape = shapeOf(ctx.graph, id);
  const full = shape.length === dims.length && sizeOf(shape) === sizeOf(dims);
  const layout = full ? outLayout : isConstant(ctx.graph, id) ? "rowMajor" : ctx.layoutOf(id);
  const strides = operandStrides(shape, layout, dims, order);
  if (encoding) {
    const storage = ctx.storage(encoding);
    return { ref: ctx.input(id, layout), kind: kindOf(storage), zero: storage.zero, strides };
  }
  const elements = constantNumbers(ctx.graph, id, "f64").data;
  const floats = new Float32Array(elements.length);
  forEachElement(shape, layout, (rowMajor, memory) => {
    floats[memory] = elements[rowMajor]!;
  });
  return { ref: ctx.constant(floats), kind: KIND.f32, zero: 0, strides };
}
