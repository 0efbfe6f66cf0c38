/** Field lists of the kernels of float.wasm, which are loaded on demand; conventions and descriptor writers as in coreElementwise.ts. */
import { BROADCAST, WINDOW } from "./coreElementwise.ts";

/** The float family: every + − × ÷ √ rounded to the type, elementary functions in double then rounded once; orders as the operators' float.
 *  - unary: output[i] = f(input[i]); op: UNARY; params: f64 p0, p1 (see UNARY). units = elements. In place allowed.
 *  - binary: as linear_binary's shape; op: BINARY. Comparisons and logic give 1 or 0. units = dims[0].
 *  - where: condition ≠ 0 ? a : b; shape = dims, conditionStrides, aStrides, bStrides; condition has the family's type. units = dims[0].
 *  - reduce: window description as mean_q, op: REDUCE; pools and reductions alike. units = Π out.
 *  - softmax: over the middle axis of [units, size, inner]; log 1: (x − m) − log(s).
 *  - layernorm: rows of `size`; gamma, beta: addresses of `size` elements or 0; rms 1: x / sqrt(Σx²/n + epsilon). epsilon → f64. units = rows.
 *  - conv: geometry words: batch, groups, inChannels, outChannels, transposed, then 3 spatial axes (leading ones 1) of
 *    size, out, window, stride, dilation, padBegin; bias: address or 0. units = batch·outChannels. Use `convDescriptor`.
 *  - matmul: offsets: 3 words per batch (a, b, c in elements); strides in elements; c rows are contiguous. scratch: k · `columns` (a multiple of 8)
 *    elements where four rows and more go through panels (float32, aStrideK 1), or 0. units = batches·m.
 *  - resample: one axis of [units, size, inner] to [units, out, inner]: Σ weight·input[index] over the taps of each output index, ascending
 *    from 0; no taps: the f64 at `outside`. spans, indices, weights: `resampleTaps`, weights in the family's type.
 *  - sample_taps: what a grid of f64 positions reads, `rank` axes each with (extent, stride) words: element offsets (−1: none) and weights of the
 *    family's type, 1, 2 or 4 per axis; mode, padding: SAMPLE. units = positions. sample: their sums; units = batch·channels, `points` positions each.
 *  - quantize_numbers, dequantize_numbers: codes and zero points are f64 (zero 0: none), scales of the family; positions: i32 per element, which scale
 *    and zero point it has, or 0: the first. dynamic_quantize: DynamicQuantizeLinear; codes + shift in bytes, one scale, one f64 zero. units = 1.
 *  - arcs: circular and hyperbolic functions; op: ARCS; angles of 2^20 quarter turns or more are a fault. units = elements. In place allowed.
 *  - to_integer: f64 output, truncated and modulo 2^bits. units = elements.
 *  - top, arg, cumulate: lines of `size` elements, `inner` apart; units = lines. top: the first k in order with their f64 indices, ties by position,
 *    NaN above all; scratch: 2·size words. arg: f64 position of the largest (which 0) or smallest (1), the last of equal ones if `last`.
 *    cumulate: axis 0, or the address of the f64 axis, whose lines over `dims` (rank words) are one unit; out of range is a fault.
 *  - reduce_index: f64 position in the input of a window's largest tap. Fields as reduce.
 *  - scatter: output[offset + j] = op(output[offset + j], updates) for `count` tuples of `run` elements; op: SCATTER. units = 1.
 *  - einsum: Σ over terms of the product of up to four operands; outer, inner: i32 positions, `operands` per output and per term. units = outputs. */
function floats<T extends "f32" | "f64">(type: T) {
  const fields = {
    unary: ["input", "output", "op", "params"],
    binary: ["a", "b", "output", "op", ...BROADCAST],
    where: ["condition", "a", "b", "output", ...BROADCAST],
    reduce: ["input", "output", "op", ...WINDOW],
    softmax: ["input", "output", "size", "inner", "log"],
    layernorm: ["input", "output", "gamma", "beta", "size", "rms", "epsilon"],
    conv: ["input", "weight", "bias", "output", "geometry"],
    matmul: ["a", "b", "output", "offsets", "m", "n", "k", "aStrideM", "aStrideK", "bStrideK", "bStrideN", "scratch", "columns"],
    resample: ["input", "output", "size", "out", "inner", "spans", "indices", "weights", "outside"],
    sample_taps: ["grid", "offsets", "weights", "rank", "axes", "mode", "padding", "aligned"],
    sample: ["input", "offsets", "weights", "output", "plane", "points", "channels", "rank", "taps"],
    quantize_numbers: ["input", "scale", "zero", "positions", "output", "least", "most"],
    dequantize_numbers: ["input", "scale", "zero", "positions", "output"],
    dynamic_quantize: ["input", "output", "scale", "zero", "size", "shift"],
    arcs: ["input", "output", "op"],
    to_integer: ["input", "output", "bits", "signed"],
    top: ["input", "values", "indices", "size", "inner", "k", "largest", "scratch"],
    arg: ["input", "output", "size", "inner", "which", "last"],
    cumulate: ["input", "output", "size", "inner", "exclusive", "reverse", "axis", "rank", "dims"],
    reduce_index: ["input", "output", "op", ...WINDOW],
    scatter: ["updates", "offsets", "output", "count", "run", "op"],
    einsum: ["a", "b", "c", "d", "output", "operands", "terms", "outer", "inner"],
  } as const;
  type Fields = typeof fields;
  return Object.fromEntries(Object.entries(fields).map(([name, list]) => [`${name}_${type}`, list])) as unknown as {
    readonly [K in keyof Fields as `${K & string}_${T}`]: Fields[K];
  };
}

export const FLOAT_KERNELS = {
  /** output[u][i] = input[u][index(i)]: `count` f64 indices (negative ones from the end; out of range: a fault), `extent` rows of `run` bytes
   *  in each unit. units = slices before the gathered axis. */
  gather_rows: ["input", "indices", "output", "count", "extent", "run"],
  /** float32 rounded to binary16 (half to even) and back. In place allowed. */
  half_round: ["input", "output"],
  /** Numbers from one representation (NUMBER) to another; 8-bit integers lie as code + shift. units = elements. */
  convert_numbers: ["input", "output", "from", "to", "shift"],
  /** f64 rounded to binary16, as float32. units = elements. */
  to_half: ["input", "output"],
  /** offsets[i] = base[i] + Σ wrap(index)·stride over the `length` f64 indices of tuple i; axes: (extent, stride) words per index; base: i32 per tuple
   *  or 0. An index out of range is a fault. units = tuples. */
  index_offsets: ["indices", "offsets", "base", "length", "axes"],
  /** Copies `run` bytes from element offsets[i] of `size` bytes, for each unit. */
  pick: ["input", "offsets", "output", "size", "run"],

  /** table: `erfTable`. units = elements. In place allowed. */
  erf_f32: ["input", "output", "table"],
  /** A convolution, not transposed, with constant finite weights: lanes hold pixels. w: [group][columns/4][channels · taps][4]; geometry as conv; panels:
   *  scratch, `chunk` pixels (a multiple of 8) · channels · taps elements. units = batch · groups. */
  conv_pixels_f32: ["input", "w", "bias", "output", "geometry", "panels", "chunk"],
  /** A convolution of one input channel per group with constant finite weights, forward, at most two axes: plane: scratch, lines of `pitch` bytes with
   *  padding. units = batch · groups. */
  depthwise_f32: ["input", "weight", "bias", "output", "geometry", "plane", "pitch"],
  /** output[n] = −(zero + shift)·sums[n], int32. zero → f64. units = columns. */
  start_values: ["zero", "shift", "sums", "output"],
  /** output[m] = −(zero[m] + shift), int32. zero → f64 per row. units = rows. */
  negated_zeros: ["zero", "shift", "output"],

  ...floats("f32"),
  ...floats("f64"),
} as const satisfies Readonly<Record<string, readonly string[]>>;
