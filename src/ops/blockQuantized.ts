/** Weights quantized in blocks, read as DequantizeLinear of unpacked codes and a float operator.
 *  Source: com.microsoft MatMulNBits and GatherBlockQuantized of ONNX Runtime. */
import { modelError } from "../errors.ts";
import type { Value, ValueId } from "../graph/graph.ts";
import { halfToFloat } from "../numerics/half.ts";
import type { ElementType, TypedArray } from "../tensor/dtype.ts";
import { attributeError, int, readAttrs } from "./attributes.ts";
import { CONTRIB, constantInput, type Draft, defineExpanding, draft, inputOf, numbersOf } from "./expansion.ts";
import type { ExpandCall, Expansion, OpDef } from "./op.ts";

const WIDTHS: Readonly<Record<number, ElementType>> = { 2: "uint2", 4: "uint4", 8: "uint8" };

/** `count` codes of `bits` from each row of packed bytes, the first in the low bits. */
function unpack(bytes: ArrayLike<number>, rows: number, rowBytes: number, count: number, bits: number): Uint8Array {
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  const out = new Uint8Array(rows * count);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < count; i++) {
      const byte = bytes[row * rowBytes + Math.floor(i / perByte)]!;
      out[row * count + i] = (byte >> ((i % perByte) * bits)) & mask;
    }
  return out;
}

/** [rows, columns] turned; `columns` of the first `used` are kept. */
function transposed<T extends Uint8Array | Float32Array>(data: T, rows: number, columns: number, used = columns): T {
  const out = new (data.constructor as new (size: number) => T)(rows * used);
  for (let r = 0; r < rows; r++) for (let c = 0; c < used; c++) out[c * rows + r] = data[r * columns + c]!;
  return out;
}

function floatsOf(value: Value & { readonly data: TypedArray }): Float32Array {
  if (value.data instanceof Float32Array) return value.data;
  return value.type === "float16" ? Float32Array.from(value.data as Uint16Array, halfToFloat) : Float32Array.from(numbersOf(value));
}

function requireLength(value: Value & { readonly data: TypedArray }, length: number, what: string): void {
  if (value.data.length === length) return;
  throw modelError("op/shape", `the ${what} has ${value.data.length} elements, expected ${length}`);
}

interface NBitsAttrs {
  readonly K: number;
  readonly N: number;
  readonly bits: number;
  readonly block_size: number;
}

const checkedBits = (bits: number): number => {
  if (WIDTHS[bits]) return bits;
  throw attributeError("bits", `found ${bits}, expected 2, 4 or 8`);
};

const LARGEST_SCALE = 2 ** 110;

/** Of a grid, whose products with codes are finite. */
const isPlainScale = (scale: number): boolean => scale > 0 && scale < LARGEST_SCALE;

/** Zero points of N rows of blocks, one to an element; the middle of the grid where none are given. */
function zeroCodes(zeros: (Value & { readonly data: TypedArray }) | null, N: number, blocks: number, bits: number): Uint8Array {
  if (!zeros) return new Uint8Array(N * blocks).fill(2 ** (bits - 1));
  return unpack(zeros.data as Uint8Array, N, Math.ceil((blocks * bits) / 8), blocks, bits);
}

/** The weight as its codes lie in the file. */
function packedWeight(to: Draft, data: Uint8Array, scale: Float32Array, zero: Uint8Array, attrs: NBitsAttrs): ValueId {
  const { K, N, bits, block_size: blockSize } = attrs;
  const columnBytes = data.length / N;
  let made: WeakRef<Uint8Array> | undefined;
  const codes = (): Uint8Array => {
    const known = made?.deref();
    const all = known ?? transposed(unpack(data, N, columnBytes, (columnBytes * 8) / bits, bits), N, (columnBytes * 8) / bits, K);
    if (!known) made = new WeakRef(all);
    return all;
  };
  const encoding = { type: WIDTHS[bits]!, scale, zeroPoint: Int32Array.from(zero), axis: 1, blockSize, blockAxis: 0 };
  return to.constant("weight", data, [K, N], "float32", { encoding, packed: { bits, columnBytes, codes } });
}

/** The weight [K, N]: packed where its codes fill whole words, else dequantized from codes, or floats where its zero points are. */
function nbitsWeight(to: Draft, call: ExpandCall<NBitsAttrs>): ValueId {
  const { K, N, bits, block_size: size } = call.attrs;
  const blocks = Math.ceil(K / size);
  const packed = constantInput(call, 1, "the weight");
  const scales = constantInput(call, 2, "the scales");
  requireLength(packed, N * blocks * Math.ceil((size * bits) / 8), "weight");
  requireLength(scales, N * blocks, "scales");
  const zeros = inputOf(call, 3) === "" ? null : constantInput(call, 3, "the zero points");
  const whole = !zeros || zeros.type === "uint8";
  const scale = transposed(floatsOf(scales), N, blocks);
  if (whole && zeros) requireLength(zeros, N * Math.ceil((blocks * bits) / 8), "zero points");
  const zero = whole ? transposed(zeroCodes(zeros, N, blocks, bits), N, blocks) : null;
  const inWords = packed.type === "uint8" && (size * bits) % 32 === 0;
  if (zero && inWords && scale.every(isPlainScale)) return packedWeight(to, packed.data as Uint8Array, scale, zero, call.attrs);
  const padded = blocks * size;
  const codes = transposed(unpack(packed.data as Uint8Array, N, packed.data.length / N, padded, bits), N, padded, K);
  if (!zero) return floatWeight(to, codes, scale, transposed(floatsOf(zeros!), N, blocks), call.attrs);
  const type = WIDTHS[bits]!;
  const w = to.constant("codes", codes, [K, N], type);
  const s = to.constant("scales", scale, [blocks, N], "float32");
  const z = to.constant("zeros", zero, [blocks, N], type);
  return to.node("dequantize", "DequantizeLinear", [w, s, z], { domain: CONTRIB, attrs: { axis: 0, block_size: size } });
}

function floatWeight(to: Draft, codes: Uint8Array, scale: Float32Array, zero: Float32Array, { K, N, block_size }: NBitsAttrs): ValueId {
  const weight = new Float32Array(K * N);
  for (let i = 0; i < weight.length; i++) {
    const at = Math.floor(i / N / block_size) * N + (i % N);
    weight[i] = Math.fround(codes[i]! - zero[at]!) * scale[at]!;
  }
  return to.constant("weight", weight, [K, N], "float32");
}

const matMulNBits = defineExpanding<NBitsAttrs>({
  type: "MatMulNBits",
  domain: CONTRIB,
  inputs: [3, 6],
  parse(attrs) {
    const schema = { K: int(), N: int(), bits: int(4), block_size: int(), accuracy_level: int(0), weight_prepacked: int(0) };
    const { K, N, bits, block_size } = readAttrs(attrs, schema);
    if (!(K > 0 && N > 0 && block_size > 0))
      throw attributeError("block_size", `found K ${K}, N ${N}, blocks of ${block_size}, expected all positive`);
    return { K, N, bits: checkedBits(bits), block_size };
  },
  expand(call) {
    if (inputOf(call, 4) !== "")
      throw modelError("op/unsupported", "input 4 (g_idx) reorders blocks, which is not supported; export without it");
    const to = draft(call);
    const out = call.node.outputs[0]!;
    const bias = inputOf(call, 5);
    const inputs = [inputOf(call, 0), nbitsWeight(to, call)];
    const product = to.node("", "MatMul", inputs, bias === "" ? { output: out } : {});
    if (bias !== "") to.node("add", "Add", [product, bias], { output: out });
    return to.done();
  },
});

interface GatherBlockAttrs {
  readonly gather_axis: number;
  readonly quantize_axis: number;
  readonly block_size: number;
  readonly bits: number;
}

interface Codes {
  readonly data: Uint8Array | Int8Array;
  readonly dims: readonly number[];
  readonly type: ElementType;
}

/** Codes one to an element: those of uint8 data are packed along the last axis. */
function widened(value: Value & { readonly data: TypedArray }, stored: ElementType, bits: number): Codes {
  const dims = value.shape as readonly number[];
  const data = value.data as Uint8Array | Int8Array;
  if (stored !== "uint8") return { data, dims, type: value.type };
  const rowBytes = dims.at(-1) ?? 1;
  const count = (rowBytes * 8) / bits;
  return { data: unpack(data, data.length / rowBytes, rowBytes, count, bits), dims: [...dims.slice(0, -1), count], type: WIDTHS[bits]! };
}

/** More than two axes have no encoding in blocks: the table as float32, scale·(q − zero), blocks along `along`. */
function floatTable(to: Draft, { data, dims }: Codes, scale: Float32Array, zero: ArrayLike<number>, along: number, size: number): ValueId {
  const axis = along < 0 ? along + dims.length : along;
  const blocks = Math.ceil(dims[axis]! / size);
  const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const table = Float32Array.from(data, (code, i) => {
    const outer = Math.floor(i / (inner * dims[axis]!));
    const block = Math.floor((Math.floor(i / inner) % dims[axis]!) / size);
    const at = (outer * blocks + block) * inner + (i % inner);
    return (code - zero[at]!) * scale[at]!;
  });
  return to.constant("table", table, dims, "float32");
}

/** uint8 data hold codes of `bits`, several to a byte along the last axis, and have the middle of the grid as zero point. */
function gatherBlocks(call: ExpandCall<GatherBlockAttrs>): Expansion {
  const { gather_axis, quantize_axis, block_size, bits } = call.attrs;
  const to = draft(call);
  const data = constantInput(call, 0, "the table");
  const scales = constantInput(call, 2, "the scales");
  const zeros = inputOf(call, 3) === "" ? null : constantInput(call, 3, "the zero points");
  const scaleDims = scales.shape as readonly number[];
  const codes = widened(data, data.type, bits);
  const zero = zeros
    ? widened(zeros, data.type, bits)
    : { ...codes, dims: scaleDims, data: codes.data.slice(0, scales.data.length).fill(data.type === "uint8" ? 2 ** (bits - 1) : 0) };
  const inputs = [
    to.constant("codes", codes.data, codes.dims, codes.type),
    scales.id,
    to.constant("zeros", zero.data, scaleDims, codes.type),
  ];
  const table =
    codes.dims.length > 2
      ? floatTable(to, codes, floatsOf(scales), zero.data, quantize_axis, block_size)
      : to.node("dequantize", "DequantizeLinear", inputs, { domain: CONTRIB, attrs: { axis: quantize_axis, block_size } });
  to.node("", "Gather", [table, inputOf(call, 1)], { attrs: { axis: gather_axis }, output: call.node.outputs[0]! });
  return to.done();
}

const gatherBlockQuantized = defineExpanding<GatherBlockAttrs>({
  type: "GatherBlockQuantized",
  domain: CONTRIB,
  inputs: [3, 4],
  parse(attrs) {
    const all = readAttrs(attrs, { gather_axis: int(0), quantize_axis: int(1), block_size: int(128), bits: int(4) });
    return { ...all, bits: checkedBits(all.bits) };
  },
  expand: gatherBlocks,
});

export const BLOCK_QUANTIZED: readonly OpDef[] = [matMulNBits, gatherBlockQuantized];
