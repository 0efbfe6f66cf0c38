/** Running error of RNN, GRU and LSTM: the recurrence in double, every number with an absolute bound on what a source made of it. */
import { toDouble } from "./arrayMath.ts";
import { boundAt, productSpread, rounded, SLACK, underflow } from "./bounds.ts";
import { numbersAt } from "./checks.ts";
import type { Numbers } from "./op.ts";
import { functionBound, type GateFunction, scalarOf } from "./recurrentFunctions.ts";
import { extentsOf, type RecurrentAttrs, recurrentOffsets } from "./recurrentShape.ts";
import { gamma } from "./spreads.ts";

/** A number and the bound of its error. */
interface Bounded {
  readonly v: number;
  readonly e: number;
}

const EXACT_ONE: Bounded = { v: 1, e: 0 };
const ZERO: Bounded = { v: 0, e: 0 };

interface Arithmetic {
  readonly add: (a: Bounded, b: Bounded) => Bounded;
  readonly mul: (a: Bounded, b: Bounded) => Bounded;
  readonly apply: (f: GateFunction, a: Bounded) => Bounded;
}

function arithmetic(unit: number, clip: number): Arithmetic {
  return {
    add: (a, b) => ({ v: a.v + b.v, e: rounded(a.v + b.v, a.e + b.e, unit) }),
    mul: (a, b) => ({ v: a.v * b.v, e: rounded(a.v * b.v, productSpread(a.v, a.e, b.v, b.e), unit) }),
    apply: (f, a) => {
      const x = Math.min(Math.max(a.v, -clip), clip);
      return { v: scalarOf(f, (y) => y)(x), e: functionBound(f, x, a.e, unit) * SLACK + underflow(unit) };
    },
  };
}

type Read = (index: number, at: number) => Bounded;

/** Σ_k x_k·w_k: γ of the additions and products on Σ|x·w|, and the operands' own errors. */
function dot(x: (k: number) => Bounded, w: (k: number) => Bounded, depth: number, unit: number): Bounded {
  let [v, magnitude, spread] = [0, 0, 0];
  for (let k = 0; k < depth; k++) {
    const [a, b] = [x(k), w(k)];
    v += a.v * b.v;
    magnitude += Math.abs(a.v * b.v);
    spread += productSpread(a.v, a.e, b.v, b.e);
  }
  return { v, e: (spread + gamma(depth + 1, unit) * (magnitude + spread)) * SLACK + depth * underflow(unit) };
}

/** What one step of one row reads beside its states. */
interface Site {
  readonly attrs: RecurrentAttrs;
  readonly functions: readonly GateFunction[];
  readonly hidden: number;
  readonly math: Arithmetic;
  readonly u: (j: number) => Bounded;
  readonly v: (j: number, h: readonly Bounded[]) => Bounded;
  readonly wBias: (j: number) => Bounded;
  readonly rBias: (j: number) => Bounded;
  readonly peephole: ((j: number) => Bounded) | null;
}

interface States {
  readonly h: readonly Bounded[];
  readonly c: readonly Bounded[];
}

function preactivation({ math, u, v, wBias, rBias }: Site, j: number, h: readonly Bounded[]): Bounded {
  return math.add(math.add(u(j), math.add(wBias(j), rBias(j))), v(j, h));
}

function stepRnn(site: Site, { h, c }: States): States {
  return { h: h.map((_, i) => site.math.apply(site.functions[0]!, preactivation(site, i, h))), c };
}

function stepLstm(site: Site, { h, c }: States): States {
  const { math, hidden: n, peephole, attrs } = site;
  const [f, g, out] = site.functions as readonly [GateFunction, GateFunction, GateFunction];
  const peeped = (gate: number, i: number, state: Bounded): Bounded => {
    const pre = preactivation(site, gate * n + i, h);
    return math.apply(f, peephole ? math.add(pre, math.mul(peephole(gate * n + i), state)) : pre);
  };
  const next = h.map((_, i) => {
    const input = peeped(0, i, c[i]!);
    const forget = attrs.inputForget ? math.add(EXACT_ONE, { v: -input.v, e: input.e }) : peeped(2, i, c[i]!);
    const candidate = math.apply(g, preactivation(site, 3 * n + i, h));
    const state = math.add(math.mul(forget, c[i]!), math.mul(input, candidate));
    const open = peeped(1, i, state);
    const unclipped = { v: scalarOf(out, (y) => y)(state.v), e: math.apply(out, state).e };
    return { h: math.mul(open, unclipped), c: state };
  });
  return { h: next.map((each) => each.h), c: next.map((each) => each.c) };
}

function stepGru(site: Site, { h, c }: States): States {
  const { math, hidden: n, attrs, u, v, wBias, rBias } = site;
  const [f, g] = site.functions as readonly [GateFunction, GateFunction];
  const reset = h.map((_, i) => math.apply(f, preactivation(site, n + i, h)));
  const scaled = attrs.linearBeforeReset ? h : h.map((x, i) => math.mul(reset[i]!, x));
  const next = h.map((before, i) => {
    const j = 2 * n + i;
    const inner = attrs.linearBeforeReset
      ? math.add(math.add(u(j), wBias(j)), math.mul(reset[i]!, math.add(v(j, h), rBias(j))))
      : preactivation(site, j, scaled);
    const candidate = math.apply(g, inner);
    const update = math.apply(f, preactivation(site, i, h));
    const kept = math.add(EXACT_ONE, { v: -update.v, e: update.e });
    return math.add(math.mul(kept, candidate), math.mul(update, before));
  });
  return { h: next, c };
}

const STEPS = { RNN: stepRnn, GRU: stepGru, LSTM: stepLstm } as const;

/** Bounds of Y, Y_h and Y_c. */
export function recurrentBound(
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  outputs: readonly Numbers[],
  attrs: RecurrentAttrs,
  unit: number,
): Numbers[] {
  const read: Read = (index, at) => ({ v: inputs[index]!.data[at]!, e: boundAt(errors[index], at) });
  const extents = extentsOf(numbersAt(inputs, 0).dims, numbersAt(inputs, 2).dims, attrs);
  const { steps, batch, hidden, gates, inputs: width } = extents;
  const at = recurrentOffsets(extents, attrs);
  const rows = gates * hidden;
  const bounds = outputs.map((output) => toDouble({ dims: output.dims, data: new Float64Array(output.data.length) }));
  const state = (index: number, d: number, b: number): Bounded[] =>
    Array.from({ length: hidden }, (_, i) => (inputs[index] ? read(index, at.state(d, b) + i) : ZERO));
  const biasAt = (d: number, part: number) => (j: number) => (inputs[3] ? read(3, (2 * d + part) * rows + j) : ZERO);
  for (let d = 0; d < attrs.directions; d++) {
    const w = (j: number, x: number): Bounded =>
      dot(
        (k) => read(0, x + k),
        (k) => read(1, (d * rows + j) * width + k),
        width,
        unit,
      );
    for (let b = 0; b < batch; b++) {
      let states: States = { h: state(5, d, b), c: state(6, d, b) };
      const length = Math.min(Math.max(inputs[4]?.data[b] ?? steps, 0), steps);
      for (let s = 0; s < length; s++) {
        const t = attrs.backward || d === 1 ? length - 1 - s : s;
        states = STEPS[attrs.kind](
          {
            attrs,
            functions: attrs.functions[d]!,
            hidden,
            math: arithmetic(unit, attrs.clip),
            u: (j) => w(j, at.x(t, b)),
            v: (j, h) =>
              dot(
                (k) => h[k]!,
                (k) => read(2, (d * rows + j) * hidden + k),
                hidden,
                unit,
              ),
            wBias: biasAt(d, 0),
            rBias: biasAt(d, 1),
            peephole: inputs[7] ? (j) => read(7, d * 3 * hidden + j) : null,
          },
          states,
        );
        states.h.forEach((each, i) => {
          bounds[0]!.data[at.y(t, d, b) + i] = each.e;
        });
      }
      [states.h, states.c].forEach((each, k) => {
        const target = bounds[k + 1];
        if (target) each.forEach((one, i) => void (target.data[at.state(d, b) + i] = one.e));
      });
    }
  }
  return bounds;
}
