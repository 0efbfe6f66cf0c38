/** The arithmetic of RNN, GRU and LSTM, in the one order that kernels repeat. Per direction and row of the batch, for every step:
 *  u = x·Wᵀ and v = h·Rᵀ, each Σ over the inputs (units) ascending from 0; bias = Wb + Rb; pre-activation (u + bias) + v.
 *  GRU with linear_before_reset: (u + Wb) + r·(v + Rb). LSTM: peepholes P·c are added last; C = f·c + i·g; h = o·h(C).
 *  GRU: h = (1 − z)·n + z·h. Every + − × is rounded to the precision. */
import { isSingle, zerosLike } from "./arrayMath.ts";
import type { Round } from "./arrays.ts";
import { numbersAt } from "./checks.ts";
import type { Numbers, Precision } from "./op.ts";
import { scalarOf } from "./recurrentFunctions.ts";
import { type Extents, extentsOf, type RecurrentAttrs, recurrentOffsets } from "./recurrentShape.ts";

type Data = Float64Array | Float32Array;

/** One direction's operands, states of one row of the batch, and the functions at the precision. */
export interface Cell {
  readonly extents: Extents;
  readonly round: Round;
  readonly single: boolean;
  readonly functions: readonly ((x: number) => number)[];
  readonly clip: (x: number) => number;
  readonly w: Data;
  readonly r: Data;
  readonly wBias: Data | null;
  readonly rBias: Data | null;
  readonly peepholes: Data | null;
  readonly attrs: RecurrentAttrs;
  readonly h: Data;
  readonly c: Data;
}

/** out[j] = Σ_k x[k]·w[j·depth + k], k ascending from 0, every product and sum rounded. */
function product(x: Data, at: number, w: Data, depth: number, out: Data, single: boolean): void {
  for (let j = 0; j < out.length; j++) {
    const row = j * depth;
    let acc = 0;
    if (single) for (let k = 0; k < depth; k++) acc = Math.fround(acc + Math.fround(x[at + k]! * w[row + k]!));
    else for (let k = 0; k < depth; k++) acc += x[at + k]! * w[row + k]!;
    out[j] = acc;
  }
}

function biasOf({ wBias, rBias, round }: Cell, j: number): number {
  return wBias && rBias ? round(wBias[j]! + rBias[j]!) : 0;
}

/** Pre-activation j of input part u and recurrent part v. */
function preactivation(cell: Cell, j: number, u: Data, v: Data): number {
  return cell.round(cell.round(u[j]! + biasOf(cell, j)) + v[j]!);
}

type Step = (cell: Cell, u: Data, v: Data) => void;

function stepRnn(cell: Cell, u: Data, v: Data): void {
  const { h, functions, clip } = cell;
  for (let i = 0; i < h.length; i++) h[i] = functions[0]!(clip(preactivation(cell, i, u, v)));
}

function stepLstm(cell: Cell, u: Data, v: Data): void {
  const { h, c, functions, clip, peepholes: p, round, attrs } = cell;
  const n = h.length;
  const [f, g, out] = functions as [Round, Round, Round];
  const peeped = (gate: number, i: number, state: number): number => {
    const pre = preactivation(cell, gate * n + i, u, v);
    return clip(p ? round(pre + round(p[gate * n + i]! * state)) : pre);
  };
  for (let i = 0; i < n; i++) {
    const before = c[i]!;
    const input = f(peeped(0, i, before));
    const forget = attrs.inputForget ? round(1 - input) : f(peeped(2, i, before));
    const candidate = g(clip(preactivation(cell, 3 * n + i, u, v)));
    const state = round(round(forget * before) + round(input * candidate));
    c[i] = state;
    h[i] = round(f(peeped(1, i, state)) * out(state));
  }
}

function stepGru(cell: Cell, u: Data, v: Data): void {
  const { h, functions, clip, round, attrs, single, wBias, rBias, r } = cell;
  const n = h.length;
  const [f, g] = functions as [Round, Round];
  const reset = Array.from(h, (_, i) => f(clip(preactivation(cell, n + i, u, v))));
  if (!attrs.linearBeforeReset) {
    const scaled = h.map((x, i) => round(reset[i]! * x));
    product(scaled, 0, r.subarray(2 * n * n), n, v.subarray(2 * n), single);
  }
  for (let i = 0; i < n; i++) {
    const j = 2 * n + i;
    const inner = attrs.linearBeforeReset
      ? round(round(u[j]! + (wBias?.[j] ?? 0)) + round(reset[i]! * round(v[j]! + (rBias?.[j] ?? 0))))
      : preactivation(cell, j, u, v);
    const candidate = g(clip(inner));
    const update = f(clip(preactivation(cell, i, u, v)));
    h[i] = round(round(round(1 - update) * candidate) + round(update * h[i]!));
  }
}

const STEPS: Readonly<Record<RecurrentAttrs["kind"], Step>> = { RNN: stepRnn, GRU: stepGru, LSTM: stepLstm };

/** The operands of direction `d`. */
function cellOf(inputs: readonly (Numbers | null)[], attrs: RecurrentAttrs, d: number, single: boolean): Cell {
  const [w, r] = [numbersAt(inputs, 1), numbersAt(inputs, 2)];
  const extents = extentsOf(numbersAt(inputs, 0).dims, r.dims, attrs);
  const { hidden, gates, inputs: width } = extents;
  const rows = gates * hidden;
  const part = (numbers: Numbers | null | undefined, begin: number, size: number): Data | null =>
    numbers?.data.subarray(begin, begin + size) ?? null;
  const round: Round = single ? Math.fround : (x) => x;
  const limit = attrs.clip;
  return {
    extents,
    round,
    single,
    functions: attrs.functions[d]!.map((f) => scalarOf(f, round)),
    clip: limit === Infinity ? (x) => x : (x) => Math.min(Math.max(x, -limit), limit),
    w: part(w, d * rows * width, rows * width)!,
    r: part(r, d * rows * hidden, rows * hidden)!,
    wBias: part(inputs[3], d * 2 * rows, rows),
    rBias: part(inputs[3], (d * 2 + 1) * rows, rows),
    peepholes: part(inputs[7], d * 3 * hidden, 3 * hidden),
    attrs,
    h: single ? new Float32Array(hidden) : new Float64Array(hidden),
    c: single ? new Float32Array(hidden) : new Float64Array(hidden),
  };
}

/** Y, Y_h and Y_c. Steps at and behind a row's length leave Y at 0 and the states as they are. */
export function recurrentFloat(inputs: readonly (Numbers | null)[], attrs: RecurrentAttrs, precision: Precision): Numbers[] {
  const x = numbersAt(inputs, 0);
  const single = isSingle(x, precision);
  const extents = extentsOf(x.dims, numbersAt(inputs, 2).dims, attrs);
  const { steps, batch, hidden, gates } = extents;
  const { directions } = attrs;
  const at = recurrentOffsets(extents, attrs);
  const stateDims = attrs.batchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
  const y = zerosLike(x, attrs.batchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden], precision);
  const lastH = zerosLike(x, stateDims, precision);
  const lastC = zerosLike(x, stateDims, precision);
  const u = zerosLike(x, [gates * hidden], precision).data;
  const v = zerosLike(x, [gates * hidden], precision).data;
  for (let d = 0; d < directions; d++) {
    const cell = cellOf(inputs, attrs, d, single);
    const backward = attrs.backward || d === 1;
    for (let b = 0; b < batch; b++) {
      const start = at.state(d, b);
      for (const [state, initial] of [
        [cell.h, inputs[5]],
        [cell.c, inputs[6]],
      ] as const) {
        if (initial) state.set(initial.data.subarray(start, start + hidden));
        else state.fill(0);
      }
      const length = Math.min(Math.max(inputs[4]?.data[b] ?? steps, 0), steps);
      for (let s = 0; s < length; s++) {
        const t = backward ? length - 1 - s : s;
        product(x.data, at.x(t, b), cell.w, extents.inputs, u, single);
        product(cell.h, 0, cell.r, hidden, v, single);
        STEPS[attrs.kind](cell, u, v);
        y.data.set(cell.h, at.y(t, d, b));
      }
      lastH.data.set(cell.h, start);
      lastC.data.set(cell.c, start);
    }
  }
  return attrs.kind === "LSTM" ? [y, lastH, lastC] : [y, lastH];
}
