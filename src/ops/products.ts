/** Multiply-accumulate loops at each precision: out += x·w, the product and the sum each rounded. */

export type Row = Float64Array | Float32Array;

/** Where the taps of a window meet a plane: records of [tap, offset in out, offset in x, count], taps ascending. */
export interface Runs {
  readonly records: Int32Array;
  readonly outStep: number;
  readonly xStep: number;
}

export const RECORD = 4;

/** Storing rounds the sum: the double sum of two float32 values rounds to float32 as their exact sum does. */
function addRunsSingle(
  out: Float32Array,
  o: number,
  x: Float32Array,
  from: number,
  w: Float32Array,
  tap: number,
  { records, outStep, xStep }: Runs,
): void {
  for (let r = 0; r < records.length; r += RECORD) {
    const weight = w[tap + (records[r] as number)] as number;
    let to = o + (records[r + 1] as number);
    let at = from + (records[r + 2] as number);
    for (let count = records[r + 3] as number; count > 0; count--) {
      out[to] = (out[to] as number) + Math.fround((x[at] as number) * weight);
      to += outStep;
      at += xStep;
    }
  }
}

function addRunsDouble(
  out: Float64Array,
  o: number,
  x: Float64Array,
  from: number,
  w: Float64Array,
  tap: number,
  { records, outStep, xStep }: Runs,
): void {
  for (let r = 0; r < records.length; r += RECORD) {
    const weight = w[tap + (records[r] as number)] as number;
    let to = o + (records[r + 1] as number);
    let at = from + (records[r + 2] as number);
    for (let count = records[r + 3] as number; count > 0; count--) {
      out[to] = (out[to] as number) + (x[at] as number) * weight;
      to += outStep;
      at += xStep;
    }
  }
}

export type AddRuns = (o: number, from: number, tap: number, runs: Runs) => void;

/** The accumulation of x·w into `out`, in single precision when out is a Float32Array; the operands are brought to its kind once. */
export function addRunsInto(out: Row, x: Row, w: Row): AddRuns {
  if (out instanceof Float32Array) {
    const [a, b] = [single(x), single(w)];
    return (o, from, tap, runs) => addRunsSingle(out, o, a, from, b, tap, runs);
  }
  const [a, b] = [double(x), double(w)];
  return (o, from, tap, runs) => addRunsDouble(out, o, a, from, b, tap, runs);
}

function single(x: Row): Float32Array {
  return x instanceof Float32Array ? x : Float32Array.from(x);
}

function double(x: Row): Float64Array {
  return x instanceof Float64Array ? x : Float64Array.from(x);
}
