/** Einsum: a sum of products named by index letters. Source: Einsum-12. */

import { stridesOf } from "../tensor/shape.ts";
import { absolute, roundOf, zerosLike } from "./arrayMath.ts";
import { integers, offsetsOf } from "./arrays.ts";
import { attributeError, readAttrs } from "./attributes.ts";
import { string } from "./attributesOther.ts";
import { SLACK, underflow } from "./bounds.ts";
import { checkDims, numbersAt, requireSameTypes, shapeError } from "./checks.ts";
import { presentInputs } from "./checksOther.ts";
import { defineOp, type Numbers, type OpDef, type Precision } from "./op.ts";
import { erased } from "./registry.ts";
import { gamma } from "./spreads.ts";

interface Equation {
  readonly terms: readonly string[]; // index letters of each input; "..." where it stands
  readonly output: string | undefined; // undefined: implicit
}

/** An equation for concrete ranks: each axis of each input, and of the output, has a label. */
interface Labelled {
  readonly inputs: readonly (readonly string[])[];
  readonly kept: readonly string[];
  readonly summed: readonly string[];
  readonly extents: ReadonlyMap<string, number>;
}

const ELLIPSIS = "...";

function parseEquation(text: string): Equation {
  const [left = "", right, ...rest] = text.replaceAll(/\s/g, "").split("->");
  const parts = [...left.split(","), ...(right === undefined ? [] : [right])];
  if (rest.length > 0 || parts.some((part) => !/^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(part))) {
    throw attributeError("equation", `found '${text}', expected letters, commas, '...' and at most one '->'`);
  }
  return { terms: left.split(","), output: right };
}

/** Labels of a term's axes; the ellipsis becomes numbered labels, aligned to the right. */
function labelsOf(term: string, rank: number): string[] {
  const [before = "", after] = term.split(ELLIPSIS);
  if (after === undefined) return [...before];
  const open = rank - before.length - after.length;
  if (open < 0) throw shapeError(`the term '${term}' names more axes than rank ${rank} has`);
  return [...before, ...Array.from({ length: open }, (_, i) => `.${open - 1 - i}`), ...after];
}

function labelled(equation: Equation, shapes: readonly (readonly number[])[]): Labelled {
  if (equation.terms.length !== shapes.length)
    throw shapeError(`the equation has ${equation.terms.length} terms for ${shapes.length} inputs`);
  const extents = new Map<string, number>();
  const inputs = shapes.map((dims, i) => {
    const labels = labelsOf(equation.terms[i] as string, dims.length);
    if (labels.length !== dims.length)
      throw shapeError(`the term '${equation.terms[i]}' names ${labels.length} axes, input ${i} has ${dims.length}`);
    for (const [axis, label] of labels.entries()) {
      const extent = dims[axis] as number;
      const known = extents.get(label) ?? 1;
      if (known !== 1 && extent !== 1 && known !== extent) throw shapeError(`index '${label}' has extents ${known} and ${extent}`);
      extents.set(label, known === 1 ? extent : known);
    }
    return labels;
  });
  const open = [...extents.keys()].filter((label) => label.startsWith(".")).sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)));
  const kept = keptLabels(equation, inputs.flat(), open);
  for (const label of kept) if (!extents.has(label)) throw shapeError(`index '${label}' of the output is in no input`);
  if (new Set(kept).size !== kept.length) throw shapeError(`the output '${equation.output}' repeats an index`);
  return { inputs, kept, summed: [...extents.keys()].filter((label) => !kept.includes(label)), extents };
}

/** The stated output, or the implicit one: the ellipsis, then every letter that occurs once, in alphabetical order. */
function keptLabels({ output }: Equation, used: readonly string[], open: readonly string[]): string[] {
  if (output !== undefined) return output.split(ELLIPSIS).flatMap((letters, i) => (i === 0 ? [...letters] : [...open, ...letters]));
  const once = used.filter((label) => !label.startsWith(".") && used.indexOf(label) === used.lastIndexOf(label)).sort();
  return [...open, ...once];
}

/** Offsets into one input over the extents of `labels`; 0 where the input has extent 1 or lacks the label; repeated labels walk the diagonal. */
function walk(
  dims: readonly number[],
  own: readonly string[],
  labels: readonly string[],
  extents: ReadonlyMap<string, number>,
): Int32Array {
  const strides = stridesOf(dims);
  const step = (label: string): number =>
    own.reduce((sum, mine, axis) => (mine === label && dims[axis] !== 1 ? sum + (strides[axis] as number) : sum), 0);
  return offsetsOf(
    labels.map((label) => extents.get(label) as number),
    labels.map(step),
  );
}

/** Where each operand's elements lie: outer per output element plus inner per term. */
export function einsumTables(
  equation: unknown,
  shapes: readonly (readonly number[])[],
): { readonly outer: readonly Int32Array[]; readonly inner: readonly Int32Array[]; readonly dims: readonly number[] } {
  const { inputs, kept, summed, extents } = labelled(equation as Equation, shapes);
  return {
    outer: shapes.map((dims, i) => walk(dims, inputs[i] as string[], kept, extents)),
    inner: shapes.map((dims, i) => walk(dims, inputs[i] as string[], summed, extents)),
    dims: kept.map((label) => extents.get(label) as number),
  };
}

/** Σ over the summed indices, row-major ascending, of the product of the operands from left to right. */
function evaluate(equation: Equation, inputs: readonly Numbers[], precision: Precision): Numbers {
  const { outer, inner, dims } = einsumTables(
    equation,
    inputs.map((x) => x.dims),
  );
  const first = inputs[0] as Numbers;
  const out = zerosLike(first, dims, precision);
  const round = roundOf(first, precision);
  const terms = inner[0]?.length ?? 0;
  for (let o = 0; o < out.data.length; o++) {
    let acc = 0;
    for (let s = 0; s < terms; s++) {
      let product = 1;
      for (let k = 0; k < inputs.length; k++) {
        const at = ((outer[k] as Int32Array)[o] as number) + ((inner[k] as Int32Array)[s] as number);
        const value = (inputs[k] as Numbers).data[at] as number;
        product = k === 0 ? value : round(product * value);
      }
      acc = round(acc + product);
    }
    out.data[o] = acc;
  }
  return out;
}

const einsum = defineOp<Equation>({
  type: "Einsum",
  since: 12,
  arity: { inputs: [1, Infinity], outputs: [1, 1] },
  parse: (attrs) => parseEquation(readAttrs(attrs, { equation: string("") }).equation),
  infer(inputs, equation) {
    const all = presentInputs(inputs);
    requireSameTypes(all);
    const { kept, extents } = labelled(
      equation,
      all.map((info) => info.dims),
    );
    return [{ type: (all[0] as { type: "float32" }).type, dims: checkDims(kept.map((label) => extents.get(label) as number)) }];
  },
  float: (inputs, equation, precision) => [
    evaluate(
      equation,
      inputs.map((_, i) => numbersAt(inputs, i)),
      precision,
    ),
  ],
  /** Products of operands widened by their bounds, less the products themselves, plus γ of all roundings. */
  error(inputs, errors, outputs, equation, unit) {
    const values = inputs.map((_, i) => absolute(numbersAt(inputs, i)));
    const widened = values.map((x, i) =>
      errors[i]
        ? integers(
            x.dims,
            Float64Array.from(x.data, (v, k) => v + ((errors[i] as Numbers).data[k] as number)),
          )
        : x,
    );
    const exact = evaluate(equation, values, "f64");
    const most = evaluate(equation, widened, "f64");
    const { summed, extents } = labelled(
      equation,
      values.map((x) => x.dims),
    );
    const terms = summed.reduce((count, label) => count * (extents.get(label) as number), 1);
    const growth = gamma(terms + inputs.length + 1, unit);
    return [
      integers(
        numbersAt(outputs, 0).dims,
        Float64Array.from(most.data, (m, i) => {
          const spread = Math.max(0, m * SLACK - (exact.data[i] as number) / SLACK) * (errors.some((e) => e) ? 1 : 0);
          return (spread + growth * m) * SLACK + underflow(unit) * (terms + 1);
        }),
      ),
    ];
  },
  traits: {},
});

export const EINSUMS: readonly OpDef[] = [erased(einsum)];
