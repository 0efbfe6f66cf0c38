/** Field lists of every kernel that is not a dot product; those of the core, and the conventions, are in coreElementwise.ts. */
import { BROADCAST, CORE_ELEMENTWISE, WINDOW } from "./coreElementwise.ts";
import { FLOAT_KERNELS } from "./floatKernels.ts";

const BINARY_CODES = ["a", "b", "output", "aKind", "bKind", "outKind", ...BROADCAST, "aZero", "bZero", "outZero", "min", "max"] as const;
export const ELEMENTWISE_KERNELS = {
  ...CORE_ELEMENTWISE,

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

  table_q8_q16: ["input", "output", "table"],
  table_q16_q8: ["input", "output", "table"],
  table_q16_q16: ["input", "output", "table"],

  /** Add, Sub, Mul of two operands in exact real arithmetic: clamp(RNE(t) + outZero, min, max),
   *  t = (sa·na ± sb·nb)/sy or (sa·sb·na·nb)/sy, n = stored − zero (f32 operands: the float, their zero must be 0).
   *  op: 0 add or sub (the sign lies in reals[1]), 1 mul. shape = dims[rank], aStrides[rank], bStrides[rank], in elements; rank 1..8;
   *  units = dims[0]. reals: `linearReals`. Use `broadcastDescriptor`. */
  linear_binary: [...BINARY_CODES, "op", "reals"],
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

  /** f64 = scale·(stored − zero), exact for float32 scales. */
  to_real: ["input", "output", "inKind", "zero", "scale"],
  /** stored = clamp(RNE(x / scale) + zero), x f64; NaN → zero. */
  from_real: ["input", "output", "outKind", "zero", "min", "max", "scale"],
  /** Rows of `size` codes: RNE((e^(x − max x) / Σ) / scale) + zero. table: f64[256], e^(−d·scale of the input). Units: rows. */
  softmax_q8: ["input", "output", "size", "table", "zero", "min", "max", "scale"],

  ...FLOAT_KERNELS,
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Opcodes of binary_single. */
export const SINGLE = { sum: 0, product: 1, add: 2, sub: 3, mul: 4 } as const;
