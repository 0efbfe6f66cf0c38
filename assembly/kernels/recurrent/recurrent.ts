// RNN, GRU and LSTM over all steps of one row of the batch and one direction, in the order of src/ops/recurrentFloat.ts: every + − × rounded
// to T. Inside, hidden units are padded to whole vectors; padding is computed along, stays finite or not, and is never read by a product.
import { FUNCTION_BYTES, activate, clip, peep, preactivate } from "./activate";
import { RecurrentArgs } from "./args";
import { PANEL, panelRow } from "./panels";
import { prepareSmooth } from "../float/smooth";

const GRU: i32 = 1;
const LSTM: i32 = 2;

/** v = h · R over `count` panels from panel `first`. */
@inline
function multiply<T>(h: usize, r: usize, v: usize, depth: i32, first: i32, count: i32): void {
  const stride = <usize>depth * PANEL;
  for (let i = first; i < first + count; i++) panelRow<T>(h, r + <usize>i * stride, v + <usize>i * PANEL, depth);
}

function bounded<T>(p: RecurrentArgs, v: usize, bytes: i32): void {
  const limit = load<f64>(p.clip);
  if (limit < Infinity) clip<T>(v, <T>limit, bytes);
}

/** h = f(pre). */
function stepRnn<T>(p: RecurrentArgs, u: usize, bias: usize, functions: usize, v: usize, h: usize): void {
  const bytes = p.padded * <i32>sizeof<T>();
  preactivate<T>(v, u, bias, bytes);
  bounded<T>(p, v, bytes);
  activate<T>(functions, v, bytes);
  memory.copy(h, v, bytes);
}

/** Gates i, o, f, c: C = f·c + i·g; h = o·h(C). Peepholes: of i and f on c, of o on C. */
function stepLstm<T>(p: RecurrentArgs, u: usize, bias: usize, functions: usize, peepholes: usize, v: usize, h: usize, c: usize): void {
  const bytes = p.padded * <i32>sizeof<T>();
  const output = v + bytes, forget = output + bytes, candidate = forget + bytes;
  preactivate<T>(v, u, bias, 4 * bytes);
  if (peepholes) {
    peep<T>(v, peepholes, c, bytes);
    peep<T>(forget, peepholes + 2 * bytes, c, bytes);
    bounded<T>(p, v, bytes);
    bounded<T>(p, forget, 2 * bytes);
    activate<T>(functions, v, bytes);
    activate<T>(functions, forget, bytes);
  } else {
    bounded<T>(p, v, 4 * bytes);
    activate<T>(functions, v, 3 * bytes);
  }
  if (p.option) complement<T>(forget, v, bytes);
  activate<T>(functions + FUNCTION_BYTES, candidate, bytes);
  for (let i: usize = 0; i < <usize>bytes; i += 16) {
    const kept = v128.mul<T>(v128.load(forget + i), v128.load(c + i));
    const state = v128.add<T>(kept, v128.mul<T>(v128.load(v + i), v128.load(candidate + i)));
    v128.store(c + i, state);
    v128.store(candidate + i, state);
  }
  if (peepholes) {
    peep<T>(output, peepholes + bytes, c, bytes);
    bounded<T>(p, output, bytes);
    activate<T>(functions, output, bytes);
  }
  activate<T>(functions + 2 * FUNCTION_BYTES, candidate, bytes);
  for (let i: usize = 0; i < <usize>bytes; i += 16) v128.store(h + i, v128.mul<T>(v128.load(output + i), v128.load(candidate + i)));
}

/** to = 1 − from. */
function complement<T>(to: usize, from: usize, bytes: i32): void {
  const one = v128.splat<T>(<T>1);
  for (let i: usize = 0; i < <usize>bytes; i += 16) v128.store(to + i, v128.sub<T>(one, v128.load(from + i)));
}

/** Gates z, r, candidate n: h = (1 − z)·n + z·h. */
function stepGru<T>(p: RecurrentArgs, u: usize, bias: usize, r: usize, functions: usize, v: usize, h: usize, scaled: usize): void {
  const bytes = p.padded * <i32>sizeof<T>();
  const reset = v + bytes, inner = v + p.candidate;
  preactivate<T>(v, u, bias, 2 * bytes);
  bounded<T>(p, v, 2 * bytes);
  activate<T>(functions, v, 2 * bytes);
  if (p.option) resetAfter<T>(inner, u + 2 * bytes, bias + 2 * bytes, reset, bytes);
  else {
    for (let i: usize = 0; i < <usize>bytes; i += 16) v128.store(scaled + i, v128.mul<T>(v128.load(reset + i), v128.load(h + i)));
    multiply<T>(scaled, r, v, p.hidden, p.panels - p.laterPanels, p.laterPanels);
    preactivate<T>(inner, u + 2 * bytes, bias + 2 * bytes, bytes);
  }
  bounded<T>(p, inner, bytes);
  activate<T>(functions + FUNCTION_BYTES, inner, bytes);
  const one = v128.splat<T>(<T>1);
  for (let i: usize = 0; i < <usize>bytes; i += 16) {
    const z = v128.load(v + i);
    const fresh = v128.mul<T>(v128.sub<T>(one, z), v128.load(inner + i));
    v128.store(h + i, v128.add<T>(fresh, v128.mul<T>(z, v128.load(h + i))));
  }
}

/** inner = (u + Wb) + r·(inner + Rb); Rb lies behind Wb. */
function resetAfter<T>(inner: usize, u: usize, bias: usize, reset: usize, bytes: i32): void {
  for (let i: usize = 0; i < <usize>bytes; i += 16) {
    const recurrent = v128.add<T>(v128.load(inner + i), v128.load(bias + bytes + i));
    const part = v128.mul<T>(v128.load(reset + i), recurrent);
    v128.store(inner + i, v128.add<T>(v128.add<T>(v128.load(u + i), v128.load(bias + i)), part));
  }
}

/** The state at `from` (0: zeros), `hidden` elements of `padded`. */
function enter<T>(state: usize, from: usize, hidden: i32, padded: i32): void {
  memory.fill(state, 0, padded * sizeof<T>());
  if (from) memory.copy(state, from, hidden * sizeof<T>());
}

/** Steps this row of the batch has: its length within 0 … steps. */
function lengthOf(p: RecurrentArgs, b: i32): i32 {
  return p.lengths ? max<i32>(0, min<i32>(p.steps, <i32>load<f32>(p.lengths + (<usize>b << 2)))) : p.steps;
}

function sequence<T>(p: RecurrentArgs, d: i32, b: i32, v: usize): void {
  const padded = p.padded * <i32>sizeof<T>(), hidden = p.hidden * <i32>sizeof<T>();
  const h = v + <usize>p.panels * PANEL, c = h + padded, scaled = c + padded;
  const r = p.r + d * p.rDirection;
  const bias = p.bias + d * padded * (p.cell == LSTM ? 4 : p.cell == GRU ? 4 : 1);
  const functions = p.functions + <usize>(d * 3) * FUNCTION_BYTES;
  const peepholes = p.peepholes ? p.peepholes + d * 3 * padded : 0;
  const at = <usize>(d * p.stateDirection + b * p.stateBatch);
  enter<T>(h, p.h0 ? p.h0 + at : 0, p.hidden, p.padded);
  enter<T>(c, p.c0 ? p.c0 + at : 0, p.hidden, p.padded);
  const length = lengthOf(p, b);
  const first = p.cell == GRU && !p.option ? p.panels - p.laterPanels : p.panels;
  for (let s = 0; s < length; s++) {
    const t = (p.backward >> d) & 1 ? length - 1 - s : s;
    const u = p.u + t * p.uStep + d * p.uDirection + b * p.uBatch;
    multiply<T>(h, r, v, p.hidden, 0, first);
    if (p.cell == LSTM) stepLstm<T>(p, u, bias, functions, peepholes, v, h, c);
    else if (p.cell == GRU) stepGru<T>(p, u, bias, r, functions, v, h, scaled);
    else stepRnn<T>(p, u, bias, functions, v, h);
    if (p.y) memory.copy(p.y + t * p.yStep + d * p.yDirection + b * p.yBatch, h, hidden);
  }
  if (p.y) for (let t = length; t < p.steps; t++) memory.fill(p.y + t * p.yStep + d * p.yDirection + b * p.yBatch, 0, hidden);
  if (p.lastH) memory.copy(p.lastH + at, h, hidden);
  if (p.lastC) memory.copy(p.lastC + at, c, hidden);
}

function recurrent<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<RecurrentArgs>(args);
  prepareSmooth();
  for (let unit = begin; unit < end; unit++) sequence<T>(p, unit / p.batch, unit % p.batch, p.scratch + unit * p.scratchUnit);
}

export function recurrent_f32(args: usize, begin: i32, end: i32): void {
  recurrent<f32>(args, begin, end);
}

export function recurrent_f64(args: usize, begin: i32, end: i32): void {
  recurrent<f64>(args, begin, end);
}
