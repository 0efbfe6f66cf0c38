/** Opcodes of the float kernels: functions of one and two operands, reductions, representations. */

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
  brain: 32, // rounded to bfloat16
  affine: 33, // (alpha, beta)
  scaledTanh: 34, // (alpha, beta): alpha · tanh(beta·x)
  shrink: 35, // (lambd, bias)
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
  wholeDiv: 18, // of integers: toward zero, 0 by 0; likewise the others
  wholeMod: 19,
  wholeFmod: 20,
  wholePow: 21,
  bitAnd: 22, // of integers as two's complement of 64 bits
  bitOr: 23,
  bitXor: 24,
  shiftLeft: 25,
  shiftRight: 26,
} as const;

/** Opcodes of reduce_*. mean divides by the counted taps (see mean_q); l2 = sqrt(Σx²); logSumExp = log(Σ exp(x)). */
export const REDUCE = { mean: 0, sum: 1, max: 2, min: 3, prod: 4, l1: 5, l2: 6, sumSquare: 7, logSum: 8, logSumExp: 9 } as const;

/** Representations of convert_numbers. */
export const NUMBER = { f32: 0, f64: 1, s32: 2, u8: 3, s8: 4 } as const;

/** Opcodes of scatter_*. */
export const SCATTER = { none: 0, add: 1, mul: 2, max: 3, min: 4 } as const;

/** Opcodes of arcs_*. */
export const ARCS = { sin: 0, cos: 1, tan: 2, asin: 3, acos: 4, atan: 5, sinh: 6, cosh: 7, asinh: 8, acosh: 9, atanh: 10 } as const;

/** Modes and paddings of sample_taps_*, and the taps of each mode per axis. */
export const SAMPLE = {
  mode: { nearest: 0, linear: 1, cubic: 2 },
  padding: { zeros: 0, border: 1, reflection: 2 },
  taps: [1, 2, 4],
} as const;
