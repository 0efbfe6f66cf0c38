/** Field lists of the kernels of the core that are no dot product, and operand kinds; descriptor writers are in elementwiseArgs.ts.
 *
 *  Conventions. `input`, `a`, `b`, `output`… are byte addresses. `shape`, `axes`, `geometry`, `offsets` address i32 words;
 *  `reals`, `params`, `scale` address f64 (8-byte aligned). `zero`, `min`, `max` are stored values (plan.ts Storage).
 *  A kind is q8 (1 byte, the module's signedness), q16 (2 bytes, unsigned) or f32. Outputs are contiguous in iteration order
 *  unless the kernel says otherwise; outputs may not overlap inputs, except where "in place" is allowed. */

export const KIND = { q8: 0, q16: 1, f32: 2 } as const;

/** Where the result of a fixed target is rounded (field `rounding`): one shift, or high multiply then shift (numerics.md §3). */
export const FIXED_ROUNDING = { single: 0, double: 1 } as const;

export const BROADCAST = ["rank", "shape"] as const;
export const WINDOW = ["rank", "axes", "run"] as const;

export const CORE_ELEMENTWISE = {
  /** Copies elements of `size` 1, 2, 4 or 8 bytes. shape = dims[rank], inStrides[rank], outStrides[rank], strides in bytes, may be 0 or
   *  negative; rank 1..8. units = dims[0]. Use `copyDescriptor`. */
  copy_strided: ["input", "output", "rank", "shape", "size"],
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
  /** Add, Sub of 8-bit codes by proven integers: clamp(⌊(a·mA + b·mB + offset)/2^30⌋ + add, min, max), m = high·2^16 + low; `high` and `low` hold
   *  int16 pairs (a's in the lower half). shape and units as linear_binary, both last strides 1. Use `codeSumFields`. */
  add_q8: ["a", "b", "output", ...BROADCAST, "high", "low", "offset", "add", "min", "max"],
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
} as const satisfies Readonly<Record<string, readonly string[]>>;
