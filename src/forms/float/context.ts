/** Where the numbers of a float layer lie while it is lowered: row-major arrays of one precision, made when they are first read. */
import { assert } from "../../errors.ts";
import { type Graph, isConstant, shapeOf, type ValueId, valueNamed } from "../../graph/graph.ts";
import type { Numbers, Precision } from "../../ops/op.ts";
import type { Lowering, Ref } from "../../plan/lowering.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { kindOf, levelsOf, quantizeKernel } from "../codes.ts";
import type { Layer } from "../form.ts";
import { activationEncoding, constantNumbers } from "../operands.ts";

/** Constants above this many bytes are shared by the session's plans. */
const SHARED_BYTES = 1024;

export interface FloatContext {
  readonly lowering: Lowering;
  readonly graph: Graph;
  readonly layer: Layer;
  readonly precision: Precision;
  readonly bytes: 4 | 8;
  /** Numbers of each value, once they are there. */
  readonly places: Map<ValueId, Ref>;
}

export function floatContext(lowering: Lowering, layer: Layer, precision: Precision): FloatContext {
  return { lowering, graph: lowering.graph, layer, precision, bytes: precision === "f32" ? 4 : 8, places: new Map() };
}

/** One call of a kernel of the family's precision. */
export function emitFloat(
  f: FloatContext,
  kernel: string,
  fields: Readonly<Record<string, number | Ref>>,
  units: number,
  node: string,
): void {
  f.lowering.emit(`${kernel}_${f.precision}`, fields, units, node);
}

/** Elements as the family holds them, as a constant. */
export function constantOf(f: FloatContext, elements: ArrayLike<number>): Ref {
  return f.lowering.constant(f.precision === "f32" ? Float32Array.from(elements) : Float64Array.from(elements));
}

export function scratch(f: FloatContext, elements: number): Ref {
  return f.lowering.buffer(elements * f.bytes);
}

/** Numbers of a value, row-major: constants as reals, codes dequantized (f32: rounded once; f64: exact), plain values as they are. */
export function read(f: FloatContext, id: ValueId): Ref {
  let place = f.places.get(id);
  if (!place) f.places.set(id, (place = bring(f, id)));
  return place;
}

function bring(f: FloatContext, id: ValueId): Ref {
  const { lowering, graph } = f;
  if (isConstant(graph, id)) return bringConstant(f, id);
  const encoding = activationEncoding(graph, id);
  const input = lowering.input(id, "rowMajor");
  const size = sizeOf(shapeOf(graph, id));
  if (!encoding) {
    assert(f.precision === "f32", `'${id}' has no encoding`);
    if (!valueNamed(graph, id).half) return input;
    const rounded = scratch(f, size);
    lowering.emit("half_round", { input, output: rounded }, size, id);
    return rounded;
  }
  const storage = lowering.storage(encoding);
  const output = scratch(f, size);
  const scale = lowering.constant(Float64Array.of(levelsOf(encoding).scale));
  lowering.emit(
    f.precision === "f32" ? "dequantize_q" : "to_real",
    { input, output, inKind: kindOf(storage), zero: storage.zero, scale },
    size,
    id,
  );
  return output;
}

function bringConstant(f: FloatContext, id: ValueId): Ref {
  const size = sizeOf(shapeOf(f.graph, id)) * f.bytes;
  const make = (): Float32Array | Float64Array => typed(f.precision, constantNumbers(f.graph, id, f.precision));
  return size > SHARED_BYTES ? f.lowering.weights(`${f.precision}:${id}`, make) : f.lowering.constant(make());
}

function typed(precision: Precision, { data }: Numbers): Float32Array | Float64Array {
  return precision === "f32" ? Float32Array.from(data) : Float64Array.from(data);
}

/** Place for the numbers of a node's output: the value itself where it leaves as plain float, scratch where it stays or is encoded. */
export function write(f: FloatContext, id: ValueId): Ref {
  const leaves = f.layer.outputs.includes(id) && !activationEncoding(f.graph, id);
  const place = leaves ? f.lowering.output(id, "rowMajor") : scratch(f, sizeOf(shapeOf(f.graph, id)));
  f.places.set(id, place);
  return place;
}

/** Whether a node's output may be the very bytes of its input: it stays inside and is not rounded on the way. */
export function maySharePlace(f: FloatContext, id: ValueId): boolean {
  return !f.layer.outputs.includes(id) && valueNamed(f.graph, id).half !== true;
}

/** Whether a node output is read inside the layer or leaves it. */
export function isRead(f: FloatContext, id: ValueId): boolean {
  return f.layer.outputs.includes(id) || f.layer.nodes.some((node) => node.inputs.includes(id));
}

/** After a node wrote `id`: rounds it to binary16 or quantizes it, where the value says so. A later read sees its codes. */
export function settle(f: FloatContext, id: ValueId, node: string): void {
  const { lowering, graph } = f;
  const place = f.places.get(id)!;
  const size = sizeOf(shapeOf(graph, id));
  if (valueNamed(graph, id).half) lowering.emit("half_round", { input: place, output: place }, size, node);
  const encoding = activationEncoding(graph, id);
  if (!encoding) return;
  const storage = lowering.storage(encoding);
  const scale = lowering.constant(Float64Array.of(levelsOf(encoding).scale));
  const output = lowering.output(id, "rowMajor");
  const { zero, min, max } = storage;
  lowering.emit(
    f.precision === "f32" ? quantizeKernel(lowering.target) : "from_real",
    { input: place, output, outKind: kindOf(storage), zero, min, max, scale },
    size,
    node,
  );
  f.places.delete(id);
}
