/** Oracle: elementary functions by BigInt fixed-point series with 300 bits after the point, and the distance of a double from them in ulp.
 *  Written independently of src/numerics: other series, other reductions. */

const PLACES = 300n;
const UNIT = 1n << PLACES;

/** mantissa · 2^exponent. */
export interface Exact {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const VIEW = new DataView(new ArrayBuffer(8));

/** A finite double as an integer times a power of two. */
export function exactOf(x: number): Exact {
  VIEW.setFloat64(0, x);
  const bits = VIEW.getBigUint64(0);
  const field = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = field === 0 ? fraction : fraction | (1n << 52n);
  return { mantissa: bits >> 63n ? -mantissa : mantissa, exponent: Math.max(field, 1) - 1075 };
}

function shifted(x: bigint, by: number): bigint {
  return by >= 0 ? x << BigInt(by) : x >> BigInt(-by);
}

/** A double in fixed point; below 2^−300 it truncates. */
function fixed(x: number): bigint {
  const { mantissa, exponent } = exactOf(x);
  return shifted(mantissa, exponent + Number(PLACES));
}

function times(a: bigint, b: bigint): bigint {
  return (a * b) >> PLACES;
}

/** atanh(1/n)·UNIT. */
function inverseTangent(n: bigint): bigint {
  let [power, sum] = [UNIT / n, 0n];
  for (let k = 1n; power !== 0n; k += 2n, power /= n * n) sum += power / k;
  return sum;
}

const LN2 = 2n * inverseTangent(3n);

function rootOf(x: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(x.toString(2).length / 2));
  for (let next = (root + x / root) >> 1n; next < root; next = (root + x / root) >> 1n) root = next;
  return root;
}

/** π by Machin's formula. */
function piFixed(): bigint {
  const arctangent = (n: bigint): bigint => {
    let [power, sum, sign] = [UNIT / n, 0n, 1n];
    for (let k = 1n; power !== 0n; k += 2n, power /= n * n, sign = -sign) sum += (sign * power) / k;
    return sum;
  };
  return 4n * (4n * arctangent(5n) - arctangent(239n));
}

const TWO_OVER_ROOT_PI = (2n * UNIT * UNIT) / rootOf(piFixed() << PLACES);

/** e^x, x in fixed point, as mantissa in [½, 2) and a power of two. */
function expFixed(x: bigint): Exact {
  const k = x / LN2;
  const r = (x - k * LN2) >> 10n; // e^x = (e^r)^1024 · 2^k
  let [term, sum] = [UNIT, UNIT];
  for (let n = 1n; term !== 0n && n < 60n; n++) {
    term = times(term, r) / n;
    sum += term;
  }
  for (let i = 0; i < 10; i++) sum = times(sum, sum);
  return { mantissa: sum, exponent: Number(k) - Number(PLACES) };
}

/** log x of a positive double in fixed point: series of atanh((m − 1)/(m + 1)). */
function logFixed(x: number): bigint {
  const { mantissa, exponent } = exactOf(x);
  const length = mantissa.toString(2).length;
  const [m, k] = [shifted(mantissa, Number(PLACES) - length), exponent + length]; // m in [½, 1)
  const small = 3n * m < 2n * UNIT; // keep m in [2/3, 4/3)
  const y = small ? 2n * m : m;
  const s = ((y - UNIT) << PLACES) / (y + UNIT);
  const square = times(s, s);
  let [power, sum] = [s, 0n];
  for (let n = 1n; power !== 0n && power !== -1n; n += 2n, power = times(power, square)) sum += power / n;
  return 2n * sum + BigInt(small ? k - 1 : k) * LN2;
}

function quotient(a: bigint, b: bigint): Exact {
  return { mantissa: (a << PLACES) / b, exponent: -Number(PLACES) };
}

/** x·Σ cₙ·x^(2n): the leading factor stays exact, so that tiny x keep their relative accuracy. */
function oddSeries(x: number, series: bigint): Exact {
  const { mantissa, exponent } = exactOf(x);
  return { mantissa: mantissa * series, exponent: exponent - Number(PLACES) };
}

function tanhExact(x: number): Exact {
  if (Math.abs(x) < 2 ** -60) return oddSeries(x, UNIT - times(fixed(x), fixed(x)) / 3n);
  const { mantissa, exponent } = expFixed(2n * fixed(x));
  const e = shifted(mantissa, exponent + Number(PLACES));
  return quotient(e - UNIT, e + UNIT);
}

function erfExact(x: number): Exact {
  const square = times(fixed(x), fixed(x));
  let [term, sum] = [UNIT, 0n];
  for (let n = 0n; term !== 0n && term !== -1n; n++) {
    sum += term / (2n * n + 1n);
    term = -times(term, square) / (n + 1n);
  }
  return oddSeries(x, times(sum, TWO_OVER_ROOT_PI));
}

function powExact(x: number, y: number): Exact {
  const { mantissa, exponent } = exactOf(y);
  const product = mantissa * logFixed(Math.abs(x));
  const result = expFixed(shifted(product, exponent));
  return x < 0 && y % 2 !== 0 ? { ...result, mantissa: -result.mantissa } : result;
}

/** The exact value of a function at doubles where it is finite and not zero. pow: |y·log x| < 800. */
export function evaluate(name: "exp" | "log" | "tanh" | "erf" | "pow", x: number, y: number): Exact {
  if (name === "exp") return expFixed(fixed(x));
  if (name === "log") return { mantissa: logFixed(x), exponent: -Number(PLACES) };
  if (name === "tanh") return tanhExact(x);
  return name === "erf" ? erfExact(x) : powExact(x, y);
}

/** |value − exact| in units in the last place of `exact` (subnormal ones: 2^−1074). An overflowing exact value allows ±Infinity (0 ulp). */
export function ulps(value: number, exact: Exact): number {
  const length = (exact.mantissa < 0n ? -exact.mantissa : exact.mantissa).toString(2).length;
  const top = exact.exponent + length; // |exact| in [2^(top − 1), 2^top)
  if (Math.abs(value) === Number.POSITIVE_INFINITY) return top > 1024 ? 0 : Number.POSITIVE_INFINITY;
  const unit = Math.max(top - 53, -1074) - 64; // 2^−64 ulp
  const got = exactOf(value);
  const difference = shifted(got.mantissa, got.exponent - unit) - shifted(exact.mantissa, exact.exponent - unit);
  return Math.abs(Number(difference)) / 2 ** 64;
}
