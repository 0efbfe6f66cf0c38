/** Field lists, operand kinds and opcodes of every kernel that is not a dot product; descriptor writers are in elementwiseArgs.ts.
 *
 *  Conventions. `input`, `a`, `b`, `output`… are byte addresses. `shape`, `axes`, `geometry`, `offsets` address i32 words;
 *  `reals`, `params`, `scale` address f64 (8-byte aligned). `zero`, `min`, `max` are stored values (plan.ts Storage).
 *  A kind is q8 (1 byte, the module's signedness), q16 (2 bytes, unsigned) or f32. Outputs are contiguous in iteration order
 *  unless the kernel says otherwise; outputs may not overlap inputs, except where "in place" is allowed. */

export const KIND = { q8: 0, q16: 1, f32: 2 } as const;

/** Where the result of a fixed target is rounded (field `rounding`): one shift, or high multiply then shift (numerics.md §3). */
export const FIXED_ROUNDING = { single: 0, double: 1 } as const;

const BROADCAST = ["rank", "shape"] as const;
const BINARY_CODES = ["a", "b", "output", "aKind", "bKind", "outKind", ...BROADCAST, "aZero", "bZero", "outZero", "min", "max"] as const;
const WINDOW = ["rank", "axes", "run"] as const;

export const ELEMENTWISE_KERNELS = {
  /** Copies elements of `size` 1, 2, 4 or 8 bytes. shape = dims[rank], inStrides[rank], outStrides[rank], strides in bytes, may be 0 or
   *  negative; rank 1..8. units = dims[0]. Use `copyDescriptor`. */
  copy_strided: ["input", "output", "rank", "shape", "size"],
  /** output[u][i] = input[u][index(i)]: `count` float32 indices (negative ones from the end, clamped into range), `extent` rows of `run` bytes
   *  in each unit. units = slices before the gathered axis. */
  gather_rows: ["input", "indices", "output", "count", "extent", "run"],
  /** Writes `units` elements of `size` 1, 2, 4 or 8 bytes whose bits are `low` (and `high` for 8). */
  fill: ["output", "size", "low", "high"],
  /** Flips the top bit of bytes (`mask` 0x80808080) or 16-bit elements (0x80008000) in place: codes of the other signedness. units = bytes. */
  flip_top: ["address", "mask"],

  /** output[i] = table[input[i] − lowest storable value]: 256 entries (q8 input) or 65,536 (q16 input), entries are stored codes.
   *  units = elements. The 8-bit to 8-bit one may run in place. */
  table_q8_q8: ["input", "output", "table"],
  /** A table of 8-bit codes whose entries lie on a line (`fitLine`): clamp(sat16(((x·multiplier + 2^7) >> 8) + offset) >> shift, min, max).
   *  units = elements. In place allowed. */
  line_q8: ["input", "output", "multiplier", "offset", "shift", "min", "max"],
  table_q8_q16: ["input", "output", "table"],
  table_q16_q8: ["input", "output", "table"],
  table_q16_q16: ["input", "output", "table"],

  /** Add, Sub, Mul of two operands in exact real arithmetic: clamp(RNE(t) + outZero, min, max),
   *  t = (sa·na ± sb·nb)/sy or (sa·sb·na·nb)/sy, n = stored − zero (f32 operands: the float, their zero must be 0).
   *  op: 0 add or sub (the sign lies in reals[1]), 1 mul. shape = dims[rank], aStrides[rank], bStrides[rank], in elements; rank 1..8;
   *  units = dims[0]. reals: `linearReals`. Use `broadcastDescriptor`. */
  linear_binary: [...BINARY_CODES, "op", "reals"],
  /** Add, Sub of 8-bit codes by proven integers: clamp(⌊(a·mA + b·mB + offset)/2^30⌋ + add, min, max), m = high·2^16 + low; `high` and `low` hold
   *  int16 pairs (a's in the lower half). shape and units as linear_binary, both last strides 1. Use `codeSumFields`. */
  add_q8: ["a", "b", "output", ...BROADCAST, "high", "low", "offset", "add", "min", "max"],
  /** TFLite ADD: a' = M(na·2^left, aMultiplier, aShift), b' likewise, then M(a' + b', outMultiplier, outShift) + outZero, clamped;
   *  subtract = 1: a' − b'. left is 20 (int8) or 15 (int16). Shifts are r of numerics.md §3 (31 − TFLite's exponent). Kinds q8 or q16. */
  add_fixed: [
    ...BINARY_CODES,
    "subtract",
    "left",
    "aMultiplier",
    "aShift",
    "bMultiplier",
    "bShift",
    "outMultiplier",
    "outShift",
    "rounding",
  ],
  /** TFLite MUL: M(na·nb, multiplier, shift) + outZero, clamped. |na·nb| ≤ 2^31. Kinds q8 or q16. */
  mul_fixed: [...BINARY_CODES, "multiplier", "shift", "rounding"],

  /** Window sums. axes: 8 words per axis: out, window, stride, dilation, padBegin, size, inStride (elements), extent;
   *  rank 0..5 axes outside an innermost run of `run` contiguous elements that pass through. units = Π out. Use `windowDescriptor`.
   *  S = Σ (stored − inZero) over taps on data, n = taps counted: all on data, or (extent > 0) all below `extent` of the padded axis.
   *  mode 0: t = S·sx/(n·sy); 1: t = S·sx/sy; RNE, + outZero, clamped; reals: `meanReals`.
   *  mode 2: M(S, multiplier, shift) + outZero with FIXED_ROUNDING `rounding`; multipliers: (multiplier, r) i32 pairs for n = countMin…
   *  mode 3: TFLite AVERAGE_POOL: A = Σ true codes (stored − inOrigin), round half away of A/n, + outOrigin, clamped.
   *  inOrigin, outOrigin = Storage.shift (the stored value of code 0). */
  mean_q: [
    "input",
    "output",
    "inKind",
    "outKind",
    ...WINDOW,
    "inZero",
    "outZero",
    "min",
    "max",
    "mode",
    "reals",
    "multipliers",
    "countMin",
    "rounding",
    "inOrigin",
    "outOrigin",
  ],
  /** Maximum (which 0) or minimum (which 1) of the stored values over the taps on data, clamped. Same kind in and out. */
  extreme_q: ["input", "output", "kind", ...WINDOW, "which", "min", "max"],

  /** stored = clamp(RNE(x / scale) + zero), x float32, division in double; NaN → zero, ±∞ clamp. units = elements. scale → f64. */
  quantize_f32: ["input", "output", "outKind", "zero", "min", "max", "scale"],
  /** float32 = fround(scale·(stored − zero)), scale a float32 value. */
  dequantize_q: ["input", "output", "inKind", "zero", "scale"],
  /** f64 = scale·(stored − zero), exact for float32 scales. */
  to_real: ["input", "output", "inKind", "zero", "scale"],
  /** stored = clamp(RNE(x / scale) + zero), x f64; NaN → zero. */
  from_real: ["input", "output", "outKind", "zero", "min", "max", "scale"],
  /** Rows of `size` codes: RNE((e^(x − max x) / Σ) / scale) + zero. table: f64[256], e^(−d·scale of the input). Units: rows. */
  softmax_q8: ["input", "output", "size", "table", "zero", "min", "max", "scale"],
  /** float32 rounded to binary16 (half to even) and back. In place allowed. */
  half_round: ["input", "output"],

  /** Target ort, float32 as ONNX Runtime computes (assembly/kernels/single). quantize_single: as quantize_f32, the quotient rounded to float32.
   *  binary_single: shape and units as linear_binary; op: SINGLE; outOrigin = Storage.shift; reals: first, second, fixed, codes of both
   *  zero points, sy, eps (src/forms/single.ts). mean_single: windows as mean_q; mode 0: RNE(f32(f32(S)·factor)) + zero, factors: float32 for
   *  counts countMin…; 1: RNE(f32(f32(f32(Σ f32(n·sx))/count / sy) + zy)), taps in row-major order; reals: sx, sy.
   *  softmax_single: 8-bit codes over the middle axis of [units, size, inner]; table: 256 float32, entry i for i − 255 steps from the largest;
   *  clamp(RNE(f32(f32(e·factor)/Σe)) + zero), factor → f64. */
  quantize_single: ["input", "output", "outKind", "zero", "min", "max", "scale"],
  binary_single: [...BINARY_CODES, "op", "outOrigin", "reals"],
  mean_single: [
    "input",
    "output",
    "inKind",
    "outKind",
    ...WINDOW,
    "inZero",
    "outZero",
    "min",
    "max",
    "mode",
    "factors",
    "countMin",
    "reals",
    "outOrigin",
  ],
  softmax_single: ["input", "output", "size", "inner", "table", "factor", "zero", "min", "max"],

  ...floats("f32"),
  ...floats("f64"),
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The float family: every + − × ÷ √ rounded to the type, elementary functions in double then rounded once; orders as the operators' float.
 *  - unary: output[i] = f(input[i]); op: UNARY; params: f64 p0, p1 (see UNARY). units = elements. In place allowed.
 *  - binary: as linear_binary's shape; op: BINARY. Comparisons and logic give 1 or 0. units = dims[0].
 *  - where: condition ≠ 0 ? a : b; shape = dims, conditionStrides, aStrides, bStrides; condition has the family's type. units = dims[0].
 *  - reduce: window description as mean_q, op: REDUCE; pools and reductions alike. units = Π out.
 *  - softmax: over the middle axis of [units, size, inner]; log 1: (x − m) − log(s).
 *  - layernorm: rows of `size`; gamma, beta: addresses of `size` elements or 0; rms 1: x / sqrt(Σx²/n + epsilon). epsilon → f64. units = rows.
 *  - conv: geometry words: batch, groups, inChannels, outChannels, transposed, then 3 spatial axes (leading ones 1) of
 *    size, out, window, stride, dilation, padBegin; bias: address or 0. units = batch·outChannels. Use `convDescriptor`.
 *  - matmul: offsets: 3 words per batch (a, b, c in elements); strides in elements; c rows are contiguous. units = batches·m.
 *  - resample: one axis of [units, size, inner] to [units, out, inner]: Σ weight·input[index] over the taps of each output index, ascending
 *    from 0; no taps: the f64 at `outside`. spans, indices, weights: `resampleTaps`, weights in the family's type. */
function floats<T extends "f32" | "f64">(type: T) {
  const fields = {
    unary: ["input", "output", "op", "params"],
    binary: ["a", "b", "output", "op", ...BROADCAST],
    where: ["condition", "a", "b", "output", ...BROADCAST],
    reduce: ["input", "output", "op", ...WINDOW],
    softmax: ["input", "output", "size", "inner", "log"],
    layernorm: ["input", "output", "gamma", "beta", "size", "rms", "epsilon"],
    conv: ["input", "weight", "bias", "output", "geometry"],
    matmul: ["a", "b", "output", "offsets", "m", "n", "k", "aStrideM", "aStrideK", "bStrideK", "bStrideN"],
    resample: ["input", "output", "size", "out", "inner", "spans", "indices", "weights", "outside"],
  } as const;
  type Fields = typeof fields;
  return Object.fromEntries(Object.entries(fields).map(([name, list]) => [`${name}_${type}`, list])) as unknown as {
    readonly [K in keyof Fields as `${K & string}_${T}`]: Fields[K];
  };
}

/** Opcodes of unary_*. Parameters p0, p1 in parentheses. */
export const UNARY = {
  exp: 0,
  log: 1,
  tanh: 2,
  erf: 3,
  sqrt: 4,
  reciprocal: 5,
  neg: 6,
  abs: 7,
  floor: 8,
  ceil: 9,
  round: 10, // half to even
  sign: 11,
  sigmoid: 12,
  relu: 13,
  leakyRelu: 14, // (alpha)
  elu: 15, // (alpha)
  selu: 16, // (alpha, gamma)
  celu: 17, // (alpha)
  hardSigmoid: 18, // (alpha, beta)
  hardSwish: 19,
  clip: 20, // (lo, hi)
  gelu: 21,
  geluTanh: 22,
  softplus: 23,
  softsign: 24,
  mish: 25,
  not: 26, // x == 0
  thresholdedRelu: 27, // (alpha)
  isNaN: 28,
  isInf: 29, // (1: positive counts, 1: negative counts)
  trunc: 30,
  swish: 31, // (alpha): x · sigmoid(alpha·x)
} as const;

/** Opcodes of binary_*. mod takes the divisor's sign, fmod the dividend's; prelu: a < 0 ? b·a : a. */
export const BINARY = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  min: 4,
  max: 5,
  pow: 6,
  prelu: 7,
  mod: 8,
  fmod: 9,
  equal: 10,
  less: 11,
  lessOrEqual: 12,
  greater: 13,
  greaterOrEqual: 14,
  and: 15,
  or: 16,
  xor: 17,
} as const;

/** Opcodes of binary_single. */
export const SINGLE = { sum: 0, product: 1, add: 2, sub: 3, mul: 4 } as const;

/** Opcodes of reduce_*. mean divides by the counted taps (see mean_q); l2 = sqrt(Σx²); logSumExp = log(Σ exp(x)). */
export const REDUCE = { mean: 0, sum: 1, max: 2, min: 3, prod: 4, l1: 5, l2: 6, sumSquare: 7, logSum: 8, logSumExp: 9 } as const;
