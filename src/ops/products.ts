/** Multiply-accumulate over a row, at each precision: out[i·outStep] += x[i·xStep]·w. One product and one addition per element, each rounded. */

export type Row = Float64Array | Float32Array;

/** The row operation for these arrays: single precision when the output is a Float32Array. */
export function multiplyAdd(out: Row, o: number, outStep: number, x: Row, xAt: number, xStep: number, w: number, count: number): void {
  if (out instanceof Float32Array) multiplyAddSingle(out, o, outStep, x, xAt, xStep, w, count);
  else multiplyAddDouble(out, o, outStep, x, xAt, xStep, w, count);
}

/** Storing rounds the sum: the double sum of two float32 values rounds to float32 as their exact sum does. */
function multiplyAddSingle(out: Float32Array, o: number, outStep: number, x: Row, xAt: number, xStep: number, w: number, count: number): void {
  for (let i = 0; i < count; i++) {
    out[o] = (out[o] as number) + Math.fround((x[xAt] as number) * w);
    o += outStep;
    xAt += xStep;
  }
}

function multiplyAddDouble(out: Row, o: number, outStep: number, x: Row, xAt: number, xStep: number, w: number, count: number): void {
  for (let i = 0; i < count; i++) {
    out[o] = (out[o] as number) + (x[xAt] as number) * w;
    o += outStep;
    xAt += xStep;
  }
}
