/** Where the numbers of a float layer lie while it is lowered: row-major arrays, in the representations that were asked for. */
import { assert } from "../../errors.ts";
import { type Graph, isConstant, shapeOf, type ValueId, valueNamed } from "../../graph/graph.ts";
import { NUMBER } from "../../kernels/floatModes.ts";
import { targetRow } from "../../numerics/targets.ts";
import type { Numbers, Precision } from "../../ops/op.ts";
import type { Lowering, Ref } from "../../plan/lowering.ts";
import { isWide } from "../../plan/storage.ts";
import { type ElementType, integerType } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { kindOf, levelsOf, quantizeKernel } from "../codes.ts";
import type { Layer } from "../form.ts";
import { activationEncoding, constantNumbers } from "../operands.ts";

/** Constants above this many bytes are shared by the session's plans. */
const SHARED_BYTES = 1024;

/** How numbers lie in memory: floats of a precision, accumulators, or 8-bit integers as the variant stores codes. */
export type Representation = Precision | "s32" | "q8";

export interface FloatContext {
  readonly lowering: Lowering;
  readonly graph: Graph;
  readonly layer: Layer;
  /** What the layer's floats are computed in. Integers and float64 values are doubles in any layer. */
  readonly family: Precision;
  /** What the node at hand is computed in. */
  readonly precision: Precision;
  readonly bytes: 4 | 8;
  /** Numbers of each value in each representation, once they are there. */
  readonly places: Map<ValueId, Map<Representation, Ref>>;
}

export function floatContext(lowering: Lowering, layer: Layer, family: Precision): FloatContext {
  return { lowering, graph: lowering.graph, layer, family, precision: family, bytes: family === "f32" ? 4 : 8, places: new Map() };
}

/** The same layer while a node is computed in `precision`. */
export function inPrecision(f: FloatContext, precision: Precision): FloatContext {
  return precision === f.precision ? f : { ...f, precision, bytes: precision === "f32" ? 4 : 8 };
}

/** The precision that values of a type have inside the layer. */
export function homeOf(f: FloatContext, type: ElementType): Precision {
  return isWide(type) ? "f64" : f.family;
}

function typeOf(f: FloatContext, id: ValueId): ElementType {
  return valueNamed(f.graph, id).type;
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

/** Numbers of a value in the precision at hand, row-major: constants as reals, codes dequantized (f32: rounded once; f64: exact), plain
 *  values as they are. */
export function read(f: FloatContext, id: ValueId): Ref {
  return readAs(f, id, f.precision);
}

/** Numbers of a value in a representation: q8 of 8-bit integers only. */
export function readAs(f: FloatContext, id: ValueId, as: Representation): Ref {
  const known = f.places.get(id);
  const there = known?.get(as);
  if (there) return there;
  const { graph } = f;
  let place: Ref;
  if (isConstant(graph, id)) place = bringConstant(f, id, as);
  else {
    const from = nearest(known ?? bring(f, id), as);
    place = f.places.get(id)!.get(as) ?? converted(f, id, from, as);
  }
  const all = f.places.get(id) ?? new Map<Representation, Ref>();
  f.places.set(id, all.set(as, place));
  return place;
}

/** A representation to convert from: exact ones first. */
function nearest(known: ReadonlyMap<Representation, Ref>, as: Representation): readonly [Representation, Ref] {
  for (const [from, ref] of known) if (from === as || from === "s32" || from === "f64") return [from, ref];
  return [...known][0]!;
}

function converted(f: FloatContext, id: ValueId, [from, input]: readonly [Representation, Ref], as: Representation): Ref {
  if (from === as) return input;
  const size = sizeOf(shapeOf(f.graph, id));
  const output = f.lowering.buffer(size * bytesOf(as));
  convert(f, id, [from, input], [as, output], size, id);
  return output;
}

export function bytesOf(as: Representation): 1 | 4 | 8 {
  return as === "f64" ? 8 : as === "q8" ? 1 : 4;
}

/** Numbers of `id` carried over from one representation to another: float32 rounds. */
export function convert(
  f: FloatContext,
  node: string,
  [from, input]: readonly [Representation, Ref],
  [to, output]: readonly [Representation, Ref],
  size: number,
  id: ValueId,
): void {
  const number = (as: Representation): number => (as === "q8" ? (f.lowering.module.signed ? NUMBER.s8 : NUMBER.u8) : NUMBER[as]);
  const shift = from === "q8" || to === "q8" ? shiftOf(f, id) : 0;
  f.lowering.emit("convert_numbers", { input, output, from: number(from), to: number(to), shift }, size, node);
}

/** What is added to the codes of an 8-bit integer value where they are stored. */
export function shiftOf(f: FloatContext, id: ValueId): number {
  const { signed } = integerType(typeOf(f, id))!;
  return signed === f.lowering.module.signed ? 0 : signed ? 128 : -128;
}

/** The numbers of a value that enters the layer, as they lie in memory or dequantized. */
function bring(f: FloatContext, id: ValueId): ReadonlyMap<Representation, Ref> {
  const { lowering, graph } = f;
  const encoding = activationEncoding(graph, id);
  const input = lowering.input(id, "rowMajor");
  const size = sizeOf(shapeOf(graph, id));
  const places = new Map<Representation, Ref>();
  f.places.set(id, places);
  if (!encoding) {
    const plain = isWide(typeOf(f, id)) ? "f64" : "f32";
    return places.set(...(valueNamed(graph, id).half ? halved(f, id, [plain, input], id) : ([plain, input] as const)));
  }
  const home = homeOf(f, typeOf(f, id));
  const storage = lowering.storage(encoding);
  const output = lowering.buffer(size * bytesOf(home));
  const scale = lowering.constant(Float64Array.of(levelsOf(encoding).scale));
  const kernel = home === "f32" ? "dequantize_q" : "to_real";
  lowering.emit(kernel, { input, output, inKind: kindOf(storage), zero: storage.zero, scale }, size, id);
  return places.set(home, output);
}

/** Numbers of `id` rounded to binary16, as float32. */
function halved(f: FloatContext, id: ValueId, [from, input]: readonly [Precision, Ref], node: string): readonly ["f32", Ref] {
  const size = sizeOf(shapeOf(f.graph, id));
  const output = f.lowering.buffer(size * 4);
  f.lowering.emit(from === "f64" ? "to_half" : "half_round", { input, output }, size, node);
  return ["f32", output];
}

function bringConstant(f: FloatContext, id: ValueId, as: Representation): Ref {
  const size = sizeOf(shapeOf(f.graph, id)) * bytesOf(as);
  const shift = as === "q8" ? shiftOf(f, id) : 0;
  const make = (): ArrayBufferView => typed(as, constantNumbers(f.graph, id, as === "f64" ? homeOf(f, typeOf(f, id)) : "f32"), shift);
  return size > SHARED_BYTES ? f.lowering.weights(`${as}:${f.family}:${id}`, make) : f.lowering.constant(make());
}

function typed(as: Representation, { data }: Numbers, shift: number): ArrayBufferView {
  if (as === "s32") return Int32Array.from(data);
  if (as === "q8") return Uint8Array.from(data, (code) => code + shift);
  return as === "f32" ? Float32Array.from(data) : Float64Array.from(data);
}

/** Place for the numbers of a node's output in the precision at hand: the value itself where it leaves as it lies in memory, scratch where it
 *  stays, is encoded or is converted. */
export function write(f: FloatContext, id: ValueId): Ref {
  return writeAs(f, id, f.precision);
}

/** Place for the numbers of a node's output in a representation. */
export function writeAs(f: FloatContext, id: ValueId, as: Representation): Ref {
  const leaves = leavesPlain(f, id) && as === (isWide(typeOf(f, id)) ? "f64" : "f32");
  const place = leaves ? f.lowering.output(id, "rowMajor") : f.lowering.buffer(sizeOf(shapeOf(f.graph, id)) * bytesOf(as));
  f.places.set(id, new Map([[as, place]]));
  return place;
}

function leavesPlain(f: FloatContext, id: ValueId): boolean {
  return f.layer.outputs.includes(id) && !activationEncoding(f.graph, id);
}

/** The output's numbers are those at `place`. */
export function share(f: FloatContext, id: ValueId, place: Ref): void {
  f.places.set(id, new Map([[f.precision, place]]));
}

/** Whether a node's output may be the very bytes of its input: it stays inside and is not rounded on the way. */
export function maySharePlace(f: FloatContext, id: ValueId): boolean {
  return !f.layer.outputs.includes(id) && valueNamed(f.graph, id).half !== true;
}

/** Whether a node output is read inside the layer or leaves it. */
export function isRead(f: FloatContext, id: ValueId): boolean {
  return f.layer.outputs.includes(id) || f.layer.nodes.some((node) => node.inputs.includes(id));
}

/** After a node wrote `id`: rounds it to binary16 (but for what is `rounded` already), quantizes it or brings it to where it leaves, as the value
 *  says. A later read sees its codes. */
export function settle(f: FloatContext, id: ValueId, node: string, rounded: boolean): void {
  const { lowering, graph } = f;
  const home = homeOf(f, typeOf(f, id));
  const size = sizeOf(shapeOf(graph, id));
  const encoding = activationEncoding(graph, id);
  if (valueNamed(graph, id).half && !rounded) {
    const place = readAs(f, id, home);
    if (home === "f32") lowering.emit("half_round", { input: place, output: place }, size, node);
    f.places.set(id, new Map([home === "f32" ? [home, place] : halved(f, id, [home, place], node)]));
  }
  if (encoding) {
    const as = f.family === "f32" && targetRow(lowering.target).single ? "f32" : home;
    const place = readAs(f, id, as);
    const storage = lowering.storage(encoding);
    const scale = lowering.constant(Float64Array.of(levelsOf(encoding).scale));
    const output = lowering.output(id, "rowMajor");
    const { zero, min, max } = storage;
    const kernel = as === "f32" ? quantizeKernel(lowering.target) : "from_real";
    lowering.emit(kernel, { input: place, output, outKind: kindOf(storage), zero, min, max, scale }, size, node);
    f.places.delete(id);
  } else if (f.layer.outputs.includes(id)) leave(f, id, node, size);
}

/** A plain output that was computed in another representation than the one it leaves in. */
function leave(f: FloatContext, id: ValueId, node: string, size: number): void {
  const as: Precision = isWide(typeOf(f, id)) ? "f64" : "f32";
  const places = f.places.get(id)!;
  if (places.has(as)) return;
  const from = nearest(places, as);
  const output = f.lowering.output(id, "rowMajor");
  convert(f, node, from, [as, output], size, id);
  places.set(as, output);
  assert(places.size > 1, `'${id}' was not written`);
}
