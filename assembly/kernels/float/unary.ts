// Scalar functions on float32 or float64, operation for operation the operators' scalar functions (src/ops/math.ts, activations.ts):
// every + − × ÷ √ rounded to T, elementary functions in double and rounded once.
import { erf, exp, log, pow, tanh } from "../../numerics/elementary";
import { UnaryArgs } from "./args";
import { isSmooth, prepareSmooth, smoothVectors } from "./smooth";

// Opcodes (src/kernels/elementwise.ts UNARY).
const EXP: i32 = 0;
const LOG: i32 = 1;
const TANH: i32 = 2;
const ERF: i32 = 3;
const SQRT: i32 = 4;
const RECIPROCAL: i32 = 5;
const NEG: i32 = 6;
const ABS: i32 = 7;
const FLOOR: i32 = 8;
const CEIL: i32 = 9;
const ROUND: i32 = 10;
const SIGN: i32 = 11;
const SIGMOID: i32 = 12;
const RELU: i32 = 13;
const LEAKY_RELU: i32 = 14;
const ELU: i32 = 15;
const SELU: i32 = 16;
const CELU: i32 = 17;
const HARD_SIGMOID: i32 = 18;
const HARD_SWISH: i32 = 19;
const CLIP: i32 = 20;
const GELU: i32 = 21;
const GELU_TANH: i32 = 22;
const SOFTPLUS: i32 = 23;
const SOFTSIGN: i32 = 24;
const MISH: i32 = 25;
const NOT: i32 = 26;
const THRESHOLDED_RELU: i32 = 27;
const IS_NAN: i32 = 28;
const IS_INF: i32 = 29;
const TRUNC: i32 = 30;
const BRAIN: i32 = 32;
const SHRINK: i32 = 35;
const SWISH: i32 = 31;
const AFFINE: i32 = 33;
const SCALED_TANH: i32 = 34;

/** 1/6 as the float32 of the ONNX function body, at either precision. */
const SIXTH: f64 = 0.16666667163372040;
const ROOT_TWO: f64 = 1.4142135623730951;
const TWO_OVER_PI: f64 = 0.6366197723675814;

@inline
function expOf<T>(x: T): T {
  return <T>exp(<f64>x);
}

@inline
function tanhOf<T>(x: T): T {
  return <T>tanh(<f64>x);
}

@inline
function sigmoid<T>(x: T): T {
  return <T>1 / (<T>1 + expOf<T>(-x));
}

/** log(exp(x) + 1); where exp overflows the result is x itself to the last bit. */
@inline
function softplus<T>(x: T): T {
  const e = expOf<T>(x);
  return e == <T>Infinity ? x : <T>log(<f64>(e + <T>1));
}

/** clamp(slope·x + offset, 0, 1), NaN passes. */
@inline
function ramp<T>(x: T, slope: T, offset: T): T {
  return max<T>(<T>0, min<T>(<T>1, slope * x + offset));
}

@inline
function gelu<T>(x: T): T {
  return <T>0.5 * x * (<T>1 + <T>erf(<f64>(x / <T>ROOT_TWO)));
}

@inline
function geluTanh<T>(x: T): T {
  const cubic = <T>0.044715 * <T>pow(<f64>x, 3);
  return <T>0.5 * x * (<T>1 + tanhOf<T>(sqrt<T>(<T>TWO_OVER_PI) * (x + cubic)));
}

@inline
function signOf<T>(x: T): T {
  return x > <T>0 ? <T>1 : x < <T>0 ? <T>-1 : x; // ±0 and NaN pass
}

@inline
function isInfinite<T>(x: T, positive: T, negative: T): T {
  const hit = (x == <T>Infinity && positive != <T>0) || (x == <T>-Infinity && negative != <T>0);
  return hit ? <T>1 : <T>0;
}

/** Rounded to bfloat16, half to even: the upper 16 bits. A carry into the exponent is the next power of two, or ∞. */
@inline
function toBrain(x: f32): f32 {
  const bits = reinterpret<u32>(x);
  return x != x ? x : reinterpret<f32>((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000);
}

/** Half of the functions, so that neither switch is long. */
@inline
function simple<T>(op: i32, x: T): T {
  switch (op) {
    case EXP: return expOf<T>(x);
    case LOG: return <T>log(<f64>x);
    case TANH: return tanhOf<T>(x);
    case ERF: return <T>erf(<f64>x);
    case SQRT: return sqrt<T>(x);
    case RECIPROCAL: return <T>1 / x;
    case NEG: return -x;
    case ABS: return abs<T>(x);
    case FLOOR: return floor<T>(x);
    case CEIL: return ceil<T>(x);
    case ROUND: return nearest<T>(x) + <T>0; // −0 becomes 0
    case SIGN: return signOf<T>(x);
    case NOT: return x == <T>0 ? <T>1 : <T>0;
    case IS_NAN: return x != x ? <T>1 : <T>0;
    case BRAIN: return <T>toBrain(<f32>x);
    default: return trunc<T>(x);
  }
}

@inline
function activation<T>(op: i32, x: T, p0: T, p1: T): T {
  switch (op) {
    case SIGMOID: return sigmoid<T>(x);
    case RELU: return x < <T>0 ? <T>0 : x;
    case LEAKY_RELU: return x < <T>0 ? p0 * x : x;
    case ELU: return x < <T>0 ? p0 * (expOf<T>(x) - <T>1) : x;
    case SELU: return p1 * (x < <T>0 ? p0 * expOf<T>(x) - p0 : x);
    case CELU: return x < <T>0 ? p0 * (expOf<T>(x / p0) - <T>1) : x;
    case HARD_SIGMOID: return ramp<T>(x, p0, p1);
    case HARD_SWISH: return x * ramp<T>(x, <T>SIXTH, <T>0.5);
    case CLIP: return min<T>(max<T>(x, p0), p1);
    case GELU: return gelu<T>(x);
    case GELU_TANH: return geluTanh<T>(x);
    case SOFTPLUS: return softplus<T>(x);
    case SOFTSIGN: return x / (<T>1 + abs<T>(x));
    case MISH: return x * tanhOf<T>(softplus<T>(x));
    case THRESHOLDED_RELU: return x > p0 ? x : <T>0;
    case IS_INF: return isInfinite<T>(x, p0, p1);
    case AFFINE: return p0 * x + p1;
    case SCALED_TANH: return p0 * tanhOf<T>(p1 * x);
    case SHRINK: return x < -p0 ? x + p1 : x > p0 ? x - p1 : <T>0;
    default: return x * sigmoid<T>(p0 * x);
  }
}

/** f(x) by its opcode. */
export function scalar<T>(op: i32, x: T, p0: T, p1: T): T {
  return isSimple(op) ? simple<T>(op, x) : activation<T>(op, x, p0, p1);
}

@inline
function isSimple(op: i32): bool {
  return op <= SIGN || op == NOT || op == IS_NAN || op == TRUNC || op == BRAIN;
}

/** Functions of a few instructions, which lanes do with the same operations. */
@inline
function hasLanes(op: i32): bool {
  return op == RELU || op == CLIP || op == LEAKY_RELU || op == HARD_SIGMOID || op == HARD_SWISH || op == AFFINE || op == SQRT;
}

@inline
function rampLanes<T>(x: v128, slope: v128, offset: v128): v128 {
  const line = v128.add<T>(v128.mul<T>(slope, x), offset);
  return v128.max<T>(v128.splat<T>(<T>0), v128.min<T>(v128.splat<T>(<T>1), line));
}

@inline
function lanes<T>(op: i32, x: v128, p0: v128, p1: v128): v128 {
  const zero = v128.splat<T>(<T>0);
  switch (op) {
    case RELU: return v128.andnot(x, v128.lt<T>(x, zero));
    case CLIP: return v128.min<T>(v128.max<T>(x, p0), p1);
    case LEAKY_RELU: return v128.bitselect(v128.mul<T>(p0, x), x, v128.lt<T>(x, zero));
    case HARD_SIGMOID: return rampLanes<T>(x, p0, p1);
    case HARD_SWISH: return v128.mul<T>(x, rampLanes<T>(x, v128.splat<T>(<T>SIXTH), v128.splat<T>(<T>0.5)));
    case AFFINE: return v128.add<T>(v128.mul<T>(p0, x), p1);
    default: return v128.sqrt<T>(x);
  }
}

/** Whole vectors of [begin, end); returns the first element left. */
function vectors<T>(p: UnaryArgs, p0: T, p1: T, begin: i32, end: i32): i32 {
  const op = p.op;
  const width = 16 / <i32>sizeof<T>();
  const v0 = v128.splat<T>(p0);
  const v1 = v128.splat<T>(p1);
  let i = begin;
  for (; i <= end - width; i += width) {
    const at = <usize>i * sizeof<T>();
    v128.store(p.output + at, lanes<T>(op, v128.load(p.input + at), v0, v1));
  }
  return i;
}

/** Whole vectors of [begin, end); returns the first element left. */
function smooth<T>(p: UnaryArgs, p0: T, begin: i32, end: i32): i32 {
  const bytes = ((end - begin) * <i32>sizeof<T>()) & -16;
  if (bytes == 0) return begin;
  const at = <usize>begin * sizeof<T>();
  prepareSmooth();
  smoothVectors<T>(p.op, p0, p.input + at, p.output + at, bytes);
  return begin + bytes / <i32>sizeof<T>();
}

function unary<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<UnaryArgs>(args);
  const op = p.op;
  const plain = isSimple(op);
  const p0 = plain ? <T>0 : <T>load<f64>(p.params);
  const p1 = plain ? <T>0 : <T>load<f64>(p.params, 8);
  let i = begin;
  if (isSmooth(op)) i = smooth<T>(p, p0, begin, end);
  else if (hasLanes(op)) i = vectors<T>(p, p0, p1, begin, end);
  for (; i < end; i++) {
    const at = <usize>i * sizeof<T>();
    const x = load<T>(p.input + at);
    store<T>(p.output + at, plain ? simple<T>(op, x) : activation<T>(op, x, p0, p1));
  }
}

export function unary_f32(args: usize, begin: i32, end: i32): void {
  unary<f32>(args, begin, end);
}

export function unary_f64(args: usize, begin: i32, end: i32): void {
  unary<f64>(args, begin, end);
}
