/** If: a known condition leaves one branch; else both are computed, and the condition chooses between their results. */

import { modelError } from "../errors.ts";
import { readAttrs } from "./attributes.ts";
import { optionalInt } from "./attributesOther.ts";
import { required, requireType, shapeError } from "./checks.ts";
import { defineOp, type Inlined, type InlineSite, type OpDef } from "./op.ts";
import { erased } from "./registry.ts";
import { bind, body, CLOSED, draft, emit, emitIntegers, ownInputs, requireOutputs } from "./subgraphs.ts";

type IfAttrs = ReturnType<typeof parse>;

function parse(attrs: Parameters<OpDef["parse"]>[0]) {
  return readAttrs(attrs, { then_branch: body(), else_branch: body(), merged: optionalInt(), ...CLOSED });
}

function inline(site: InlineSite, attrs: IfAttrs): Inlined {
  if (attrs.merged === 1) return merge(site);
  const { node, infos } = site;
  const condition = required(infos, 0);
  requireType(condition, 0, "bool");
  if (condition.dims.some((dim) => dim !== 1))
    throw shapeError(`input 0 (the condition) has shape [${condition.dims}], expected one element`);
  const branches = [attrs.then_branch, attrs.else_branch] as const;
  for (const branch of branches) requireOutputs(branch, node.outputs.length);
  const [own, captured] = ownInputs(node, attrs.captures);
  const actual = new Map(attrs.captures.map((name, i) => [name, captured[i]!]));
  const { scope } = attrs;
  const to = draft();
  if (condition.constant) {
    bind(to, branches[condition.constant[0] !== 0 ? 0 : 1], { actual, scope, outer: scope, targets: node.outputs });
    return to;
  }
  const [then, otherwise] = branches.map((branch) => bind(to, branch, { actual, scope, outer: scope }));
  const inputs = [...own, ...then!, ...otherwise!];
  to.nodes.push({ ...node, inputs, attrs: new Map([...node.attrs, ["merged", 1], ["captures", []]]) });
  return to;
}

/** Both branches are there: inputs are the condition, the outputs of one and those of the other. throws ModelError "op/shape". */
function merge({ node, infos }: InlineSite): Inlined {
  const count = node.outputs.length;
  const to = draft();
  const [given] = node.inputs as [string];
  let condition = given;
  if (required(infos, 0).dims.length > 0) {
    const shape = emitIntegers(to, `${node.id}/scalar`, [], [0]);
    condition = emit(to, `${node.id}/condition`, "Reshape", [given, shape], `${node.id}/condition`);
  }
  node.outputs.forEach((output, i) => {
    if (output === "") return;
    const [a, b] = [required(infos, 1 + i), required(infos, 1 + count + i)];
    if (a.type !== b.type || a.dims.join() !== b.dims.join()) {
      const found = `${a.type}[${a.dims}] and ${b.type}[${b.dims}]`;
      throw shapeError(
        `output ${i}: the branches give ${found} and the condition is computed, expected one type and shape, or a constant condition`,
      );
    }
    const inputs = [condition, node.inputs[1 + i]!, node.inputs[1 + count + i]!];
    to.nodes.push({ id: `${node.id}/${i}`, op: "Where", domain: "", attrs: new Map(), inputs, outputs: [output] });
  });
  return to;
}

/** Control flow is gone before anything is computed, but where only a run knows its way. throws ModelError "op/dynamic". */
function never(): never {
  throw modelError(
    "op/dynamic",
    "its condition or number of iterations is known only when the graph runs, expected what follows from shapes",
  );
}

export const conditional: OpDef = erased(
  defineOp<IfAttrs>({
    type: "If",
    arity: { inputs: [1, Infinity], outputs: [1, Infinity] },
    parse,
    infer: never,
    float: never,
    traits: { inline },
  }),
);
