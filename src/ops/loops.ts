/** Loop and Scan with a number of iterations that is known once shapes are: their bodies stand in the graph once for each. */
import { modelError } from "../errors.ts";
import type { Graph, Node, Value, ValueId } from "../graph/graph.ts";
import { int, optionalInts, readAttrs } from "./attributes.ts";
import { optionalInt } from "./attributesOther.ts";
import { required, resolveAxis, shapeError } from "./checks.ts";
import { defineOp, type Inlined, type InlineSite, type OpDef, type TypeInfo } from "./op.ts";
import { erased } from "./registry.ts";
import { bind, body, CLOSED, type Draft, draft, emit, emitIntegers, emitUnsqueeze, ownInputs, requireOutputs } from "./subgraphs.ts";

type LoopAttrs = ReturnType<typeof parseLoop>;
type ScanAttrs = ReturnType<typeof parseScan>;

/** The next iteration of a loop that has been unrolled so far. */
const ITERATION = "iteration";

function parseLoop(attrs: Parameters<OpDef["parse"]>[0]) {
  return readAttrs(attrs, {
    body: body(),
    [ITERATION]: optionalInt(),
    ...CLOSED,
  });
}

/** The single element of an input that must be known. */
function knownScalar(info: TypeInfo | null | undefined, absent: number, what: string): number {
  if (!info) return absent;
  if (info.constant?.length === 1) return info.constant[0]!;
  throw modelError(
    "op/dynamic",
    `${what} is computed when the graph runs, expected a constant or what follows from shapes; unroll the loop before export`,
  );
}

/** One iteration in the node's place, then the node again for the rest; or what is left when there is no further one. */
function inlineLoop(site: InlineSite, attrs: LoopAttrs): Inlined {
  const { node, infos } = site;
  const [own, captured] = ownInputs(node, attrs.captures);
  const carried = own.slice(2);
  const scans = node.outputs.length - carried.length;
  const iteration = attrs.iteration ?? 0;
  const trips = knownScalar(infos[0], Infinity, "input 0 (the number of iterations)");
  const again = knownScalar(infos[1], 1, "input 1 (the condition)") !== 0;
  if (scans < 0) throw shapeError(`${node.outputs.length} outputs, expected at least the ${carried.length} values that are carried along`);
  requireOutputs(attrs.body, 1 + node.outputs.length);
  const to = draft();
  if (iteration >= trips || !again) {
    for (const [i, id] of carried.entries()) identity(to, id, node.outputs[i]!);
    for (let i = 0; i < scans; i++) {
      const pieces = Array.from({ length: iteration }, (_, k) => pieceName(node, i, `${attrs.scope}@${k}`));
      gathered(to, site, attrs.body, 1 + carried.length + i, pieces, node.outputs[carried.length + i]!, 0);
    }
    return to;
  }
  const scope = `${attrs.scope}@${iteration}`;
  const count = emitIntegers(to, `${node.id}/iteration${scope}`, [iteration], []);
  const truth = own[1] || constantTruth(to, `${node.id}/condition${scope}`);
  const formal = attrs.body.inputs;
  const actual = new Map([...attrs.captures.map((name, i): [ValueId, ValueId] => [name, captured[i]!])]);
  [count, truth, ...carried].forEach((id, i) => {
    if (formal[i] !== undefined) actual.set(formal[i], id);
  });
  const outputs = bind(to, attrs.body, { actual, scope, outer: attrs.scope });
  for (const [i, id] of outputs.slice(1 + carried.length).entries()) emitUnsqueeze(to, site, pieceName(node, i, scope), id, 0);
  const next = new Map([...node.attrs, [ITERATION, iteration + 1]]);
  to.nodes.push({ ...node, attrs: next, inputs: [own[0]!, outputs[0]!, ...outputs.slice(1, 1 + carried.length), ...captured] });
  return to;
}

/** What iteration `scope` adds to scan output `i`. */
function pieceName(node: Node, i: number, scope: string): ValueId {
  return `${node.id}/${i}${scope}`;
}

function identity(to: Draft, from: ValueId, output: ValueId): void {
  if (output !== "")
    to.nodes.push({ id: `${output}/identity`, op: "Identity", domain: "", attrs: new Map(), inputs: [from], outputs: [output] });
}

function constantTruth(to: Draft, id: ValueId): ValueId {
  const value: Value = { id, type: "bool", shape: [], data: Uint8Array.of(1) };
  to.values.push(value);
  return id;
}

/** All pieces of a scan output, one behind the other; without any, an empty tensor of the shape that the body declares. */
function gathered(
  to: Draft,
  { node }: InlineSite,
  graph: Graph,
  index: number,
  pieces: readonly ValueId[],
  output: ValueId,
  axis: number,
): void {
  if (output === "") return;
  if (pieces.length > 0) {
    to.nodes.push({
      id: `${output}/concat`,
      op: "Concat",
      domain: "",
      attrs: new Map([["axis", axis]]),
      inputs: pieces,
      outputs: [output],
    });
    return;
  }
  const declared = graph.values.get(graph.outputs[index]!);
  if (declared?.shape?.some((dim) => typeof dim === "string") !== false || !declared) {
    const message = `${node.op} runs no iteration and its body declares no shape for output ${index}; give the body's outputs static shapes`;
    throw modelError("op/dynamic", message);
  }
  const dims = declared.shape as readonly number[];
  const at = axis < 0 ? axis + dims.length + 1 : axis;
  const empty = emitIntegers(to, `${output}/shape`, [...dims.slice(0, at), 0, ...dims.slice(at)], [dims.length + 1]);
  const zero = { type: declared.type, dims: [1], data: declared.type === "int64" ? BigInt64Array.of(0n) : Float32Array.of(0) };
  to.nodes.push({
    id: `${output}/empty`,
    op: "ConstantOfShape",
    domain: "",
    attrs: new Map([["value", zero]]),
    inputs: [empty],
    outputs: [output],
  });
}

function parseScan(attrs: Parameters<OpDef["parse"]>[0]) {
  return readAttrs(attrs, {
    body: body(),
    num_scan_inputs: int(),
    scan_input_axes: optionalInts(),
    scan_input_directions: optionalInts(),
    scan_output_axes: optionalInts(),
    scan_output_directions: optionalInts(),
    ...CLOSED,
  });
}

/** Slice `t` of a scanned input, without its axis. */
function slice(to: Draft, node: string, source: ValueId, t: number, axis: number, scope: string): ValueId {
  const id = `${node}/${source}${scope}`;
  return emit(to, id, "Gather", [source, emitIntegers(to, `${id}/index`, [t], [])], id, { axis });
}

function inlineScan(site: InlineSite, attrs: ScanAttrs): Inlined {
  const { node, infos } = site;
  const [own, captured] = ownInputs(node, attrs.captures);
  const states = own.length - attrs.num_scan_inputs;
  const scans = node.outputs.length - states;
  if (states < 0 || scans < 0)
    throw shapeError(`${own.length} inputs and ${node.outputs.length} outputs, expected those of ${states} states`);
  requireOutputs(attrs.body, node.outputs.length);
  const scanned = own.slice(states);
  const axes = scanned.map((_, i) => resolveAxis(attrs.scan_input_axes?.[i] ?? 0, required(infos, states + i).dims.length));
  const trips = axes.map((axis, i) => required(infos, states + i).dims[axis]!);
  if (new Set(trips).size > 1) throw shapeError(`scanned inputs have ${trips.join(", ")} steps, expected as many each`);
  const steps = trips[0] ?? 0;
  site.reserve(steps * (attrs.body.nodes.length + scanned.length + scans));
  const to = draft();
  const pieces: ValueId[][] = Array.from({ length: scans }, () => []);
  let carried: readonly ValueId[] = own.slice(0, states);
  for (let t = 0; t < steps; t++) {
    const scope = `${attrs.scope}@${t}`;
    const slices = scanned.map((id, i) => slice(to, node.id, id, attrs.scan_input_directions?.[i] ? steps - 1 - t : t, axes[i]!, scope));
    const actual = new Map(attrs.captures.map((name, i) => [name, captured[i]!]));
    for (const [i, id] of [...carried, ...slices].entries()) actual.set(attrs.body.inputs[i]!, id);
    const outputs = bind(to, attrs.body, { actual, scope, outer: attrs.scope });
    carried = outputs.slice(0, states);
    outputs.slice(states).forEach((id, i) => {
      const piece = emitUnsqueeze(to, site, pieceName(node, i, scope), id, attrs.scan_output_axes?.[i] ?? 0);
      if (attrs.scan_output_directions?.[i]) pieces[i]!.unshift(piece);
      else pieces[i]!.push(piece);
    });
  }
  for (const [i, id] of carried.entries()) identity(to, id, node.outputs[i]!);
  for (const [i, each] of pieces.entries())
    gathered(to, site, attrs.body, states + i, each, node.outputs[states + i]!, attrs.scan_output_axes?.[i] ?? 0);
  return to;
}

/** Control flow is gone before anything is computed, but where only a run knows its way. throws ModelError "op/dynamic". */
function never(): never {
  throw modelError(
    "op/dynamic",
    "its condition or number of iterations is known only when the graph runs, expected what follows from shapes",
  );
}

export const LOOPS: readonly OpDef[] = [
  erased(
    defineOp<LoopAttrs>({
      type: "Loop",
      arity: { inputs: [0, Infinity], outputs: [1, Infinity] },
      parse: parseLoop,
      infer: never,
      float: never,
      traits: { inline: inlineLoop },
    }),
  ),
  erased(
    defineOp<ScanAttrs>({
      type: "Scan",
      since: 9,
      arity: { inputs: [1, Infinity], outputs: [1, Infinity] },
      parse: parseScan,
      infer: never,
      float: never,
      traits: { inline: inlineScan },
    }),
  ),
];
