/** Compile: a prepared graph → Plan, by asking each layer's form to lower itself. */
import { type Issue, ModelError } from "../errors.ts";
import { quantizeKernel } from "../forms/codes.ts";
import { rare } from "../forms/deferred.ts";
import { shapeOf, type ValueId, valueNamed } from "../graph/graph.ts";
import { isActivationEncoding } from "../graph/query.ts";
import type { WeightPacker } from "../kernels/weightPacker.ts";
import { targetRow } from "../numerics/targets.ts";
import type { Prepared } from "../passes/prepare.ts";
import { PlanBuilder } from "../plan/builder.ts";
import type { Lowering, ModuleGeometry, Ref } from "../plan/lowering.ts";
import type { Plan, Target } from "../plan/plan.ts";
import { isWide } from "../plan/storage.ts";
import type { WeightStore } from "../plan/weightStore.ts";
import type { OnProgress } from "../progress.ts";
import { sizeOf } from "../tensor/shape.ts";

export interface CompileOptions {
  readonly target: Target;
  readonly module: ModuleGeometry;
  readonly store: WeightStore;
  readonly packer?: WeightPacker; // default: plain loops
  readonly captures?: readonly ValueId[];
  readonly onProgress?: OnProgress | undefined; // after each layer
}

type Edge = (ctx: Lowering, from: Ref, to: Ref) => void;

/** The plan of a prepared graph. throws ModelError listing every layer no kernel serves. */
export function compile(prepared: Prepared, options: CompileOptions): Plan {
  const { graph, layers } = prepared;
  if (targetRow(options.target).single) rare(); // its forms are not the core's
  const builder = new PlanBuilder(graph, options.target, options.module, options.store, options.packer);
  for (const id of graph.inputs) builder.addInput(id, quantizeEdge(builder, id));
  const issues: Issue[] = [];
  let done = 0;
  for (const { layer, form, data, shapeBound } of layers) {
    builder.sharing = shapeBound !== true;
    try {
      form.lower(data, layer, builder);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      issues.push(...error.issues);
      for (const id of layer.outputs) builder.output(id, "rowMajor");
    }
    options.onProgress?.({ phase: "plan", done: ++done, total: layers.length, layer: layer.outputs[0]! });
  }
  if (issues.length > 0) throw new ModelError(issues);
  return builder.finish(graph.outputs, options.captures ?? [], (id) => dequantizeEdge(builder, id));
}

/** float32 (of a float64 value: float64) → stored codes of an encoded value; null when it has no encoding. */
function quantizeEdge(ctx: Lowering, id: ValueId): Edge | null {
  const value = valueNamed(ctx.graph, id);
  if (!isActivationEncoding(value)) return null;
  const encoding = value.encoding!;
  const storage = ctx.storage(encoding);
  const size = sizeOf(shapeOf(ctx.graph, id));
  const { zero, min, max } = storage;
  return (builder, from, to) => {
    const scale = builder.constant(Float64Array.of(encoding.scale[0]!));
    const fields = { input: from, output: to, outKind: storage.bytes - 1, zero, min, max, scale };
    if (isWide(value.type)) rare().quantizeWide(builder, from, fields, size, id);
    else builder.emit(quantizeKernel(ctx.target), fields, size, id);
  };
}

/** Stored codes → float32 (of a float64 value: float64) of an encoded value; null when it has no encoding. */
function dequantizeEdge(ctx: Lowering, id: ValueId): Edge | null {
  const value = valueNamed(ctx.graph, id);
  if (!isActivationEncoding(value)) return null;
  const encoding = value.encoding!;
  const storage = ctx.storage(encoding);
  const size = sizeOf(shapeOf(ctx.graph, id));
  return (builder, from, to) =>
    builder.emit(
      isWide(value.type) ? "to_real" : "dequantize_q",
      {
        input: from,
        output: to,
        inKind: storage.bytes - 1,
        zero: storage.zero,
        scale: builder.constant(Float64Array.of(encoding.scale[0]!)),
      },
      size,
      id,
    );
}
