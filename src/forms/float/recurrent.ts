/** RNN, GRU and LSTM in floating point: x·Wᵀ of all steps at once, then one kernel that walks the steps with its states in scratch. */
import { isConstant, shapeOf, type ValueId } from "../../graph/graph.ts";
import { copyDescriptor } from "../../kernels/elementwiseArgs.ts";
import { BINARY, UNARY } from "../../kernels/floatModes.ts";
import { CELL, PANEL_BYTES, packGates, paddedUnits, panelsOf, scratchBytes } from "../../kernels/recurrent.ts";
import { type Extents, extentsOf, type RecurrentAttrs } from "../../ops/recurrentShape.ts";
import type { Ref } from "../../plan/lowering.ts";
import { constantNumbers, type Resolved } from "../operands.ts";
import type { Composite } from "./composites.ts";
import { constantOf, emitFloat, type FloatContext, isRead, read, readAs, scratch, write } from "./context.ts";
import * as step from "./steps.ts";

/** Everything the parts of one node share. */
interface Site {
  readonly f: FloatContext;
  readonly node: string;
  readonly inputs: readonly ValueId[];
  readonly attrs: RecurrentAttrs;
  readonly extents: Extents;
  readonly padded: number;
}

/** Rows [begin, begin + gates·hidden) of one direction that become columns from `first` on. */
interface Group {
  readonly begin: number;
  readonly gates: number;
  readonly first: number;
}

/** Groups of rows of a weight, `depth` wide, packed into panels. */
interface Packing {
  readonly depth: number;
  readonly panels: number;
  readonly groups: readonly Group[];
}

export const recurrent: Composite = (resolved, f) => {
  const site = siteOf(resolved, f);
  const lengths = lengthsOf(site);
  const { attrs, extents, padded } = site;
  const { steps, batch, inputs: width, hidden, gates } = extents;
  const { directions } = attrs;
  const columns = gates * padded;
  const uPanels = panelsOf(directions * columns, f.bytes);
  const rowBytes = uPanels * PANEL_BYTES;
  const u = f.lowering.buffer(steps * batch * rowBytes);
  const groups = Array.from({ length: directions }, (_, d) => ({ begin: d * gates * hidden, gates, first: d * columns }));
  const w = packed(site, 1, "w", { depth: width, panels: uPanels, groups });
  const x = read(f, site.inputs[0]!);
  const rows = { lda: width * f.bytes, ldc: rowBytes, k: width, rows: steps * batch };
  emitFloat(f, "panels", { a: x, w, panel: PANEL_BYTES, output: u, ...rows }, uPanels, site.node);
  const [uStep, uBatch] = attrs.batchFirst ? [rowBytes, steps * rowBytes] : [batch * rowBytes, rowBytes];
  const fields = {
    cell: CELL[attrs.kind],
    u,
    uStep,
    uDirection: columns * f.bytes,
    uBatch,
    bias: biasOf(site),
    peepholes: present(site, 7) ? peepholesOf(site) : 0,
    lengths,
    hidden,
    padded,
    steps,
    batch,
    backward: directions === 2 ? 2 : attrs.backward ? 1 : 0,
    option: attrs.inputForget || attrs.linearBeforeReset ? 1 : 0,
    functions: functionsOf(site),
    clip: f.lowering.constant(Float64Array.of(attrs.clip)),
    ...recurrentWeights(site),
    ...statesOf(site, resolved),
  };
  emitFloat(f, "recurrent", fields, directions * batch, site.node);
  return true;
};

function siteOf({ node, attrs }: Resolved, f: FloatContext): Site {
  const own = attrs as RecurrentAttrs;
  const extents = extentsOf(shapeOf(f.graph, node.inputs[0]!), shapeOf(f.graph, node.inputs[2]!), own);
  return { f, node: node.id, inputs: node.inputs, attrs: own, extents, padded: paddedUnits(extents.hidden, f.bytes) };
}

function present({ inputs }: Site, index: number): boolean {
  return (inputs[index] ?? "") !== "";
}

/** Lengths as float32; 0 when there are none. */
function lengthsOf({ f, inputs }: Site): Ref | 0 {
  const id = inputs[4] ?? "";
  return id === "" ? 0 : readAs(f, id, "f32");
}

/** A weight in panels: constants while the session is made, computed ones gate by gate where they cross no panel. */
function packed(site: Site, index: number, name: string, packing: Packing): Ref {
  const { f, inputs, extents, padded } = site;
  const id = inputs[index]!;
  const { depth, panels, groups } = packing;
  const width = PANEL_BYTES / f.bytes;
  const elements = panels * width * depth;
  const { hidden } = extents;
  if (!isConstant(f.graph, id)) return packComputed(site, read(f, id), packing);
  return f.lowering.weights(`${f.precision}:${name}:${padded}:${panels}:${groups.length}:${site.attrs.kind}:${id}`, () => {
    const source = constantNumbers(f.graph, id, f.precision).data;
    const target = f.precision === "f32" ? new Float32Array(elements) : new Float64Array(elements);
    for (const { begin, gates, first } of groups) packGates(source, depth, { begin, gates, hidden, padded }, target, first);
    return target;
  });
}

function packComputed({ f, node, extents, padded }: Site, source: Ref, { depth, panels, groups }: Packing): Ref {
  const { bytes, lowering } = f;
  const width = PANEL_BYTES / bytes;
  const target = lowering.buffer(panels * PANEL_BYTES * depth);
  step.fill(f, node, 0, target, panels * width * depth);
  for (const { begin, gates, first } of groups) {
    for (let gate = 0; gate < gates; gate++) {
      for (let i = 0; i < extents.hidden; ) {
        const column = first + gate * padded + i;
        const count = Math.min(extents.hidden - i, width - (column % width));
        const { words, rank, units } = copyDescriptor([depth, count], [1, depth], [width, 1], bytes);
        const input = lowering.at(source, (begin + gate * extents.hidden + i) * depth * bytes);
        const output = lowering.at(target, (Math.floor(column / width) * width * depth + (column % width)) * bytes);
        lowering.emit("copy_strided", { input, output, rank, shape: lowering.constant(words), size: bytes }, units, node);
        i += count;
      }
    }
  }
  return target;
}

/** R in panels; GRU's candidate has panels of its own, because its product may have to wait for the reset gate. */
function recurrentWeights(site: Site) {
  const { f, attrs, extents, padded } = site;
  const { hidden, gates } = extents;
  const { directions } = attrs;
  const early = attrs.kind === "GRU" ? gates - 1 : gates;
  const earlyPanels = panelsOf(early * padded, f.bytes);
  const laterPanels = early === gates ? 0 : panelsOf(padded, f.bytes);
  const panels = earlyPanels + laterPanels;
  const width = PANEL_BYTES / f.bytes;
  const groups = Array.from({ length: directions }, (_, d): Group[] => {
    const begin = d * gates * hidden;
    const first = d * panels * width;
    const later = { begin: begin + early * hidden, gates: gates - early, first: first + earlyPanels * width };
    return [{ begin, gates: early, first }, ...(laterPanels > 0 ? [later] : [])];
  }).flat();
  const scratchUnit = scratchBytes(panels, padded, f.bytes);
  return {
    r: packed(site, 2, "r", { depth: hidden, panels: directions * panels, groups }),
    rDirection: panels * PANEL_BYTES * hidden,
    candidate: earlyPanels * PANEL_BYTES,
    panels,
    laterPanels,
    scratch: f.lowering.buffer(directions * extents.batch * scratchUnit),
    scratchUnit,
  };
}

/** Gates whose two biases are added beforehand, those that keep them apart (GRU's candidate with linear_before_reset), per direction. */
function biasOf(site: Site): Ref {
  const { f, node, inputs, attrs, extents, padded } = site;
  const { hidden, gates } = extents;
  const apart = attrs.linearBeforeReset ? gates - 1 : gates;
  const slots = attrs.kind === "GRU" ? gates + 1 : gates;
  const size = attrs.directions * slots * padded;
  if (!present(site, 3)) return constantOf(f, new Float64Array(size));
  const parts = Array.from({ length: attrs.directions * slots }, (_, i) => {
    const [d, slot] = [Math.floor(i / slots), i % slots];
    const at = (part: number, gate: number): number => ((2 * d + part) * gates + gate) * hidden;
    if (slot < apart) return { to: i * padded, a: at(0, slot), b: at(1, slot) };
    return slot === gates && !attrs.linearBeforeReset ? null : { to: i * padded, a: at(slot === gates ? 1 : 0, gates - 1), b: null };
  }).filter((part) => part !== null);
  const id = inputs[3]!;
  if (isConstant(f.graph, id)) {
    const source = constantNumbers(f.graph, id, f.precision).data;
    const data = f.precision === "f32" ? new Float32Array(size) : new Float64Array(size);
    for (const { to, a, b } of parts)
      for (let i = 0; i < hidden; i++) data[to + i] = b === null ? source[a + i]! : source[a + i]! + source[b + i]!;
    return constantOf(f, data);
  }
  const source = read(f, id);
  const target = scratch(f, size);
  const operand = (at: number): step.Operand => ({ ref: f.lowering.at(source, at * f.bytes), dims: [hidden] });
  step.fill(f, node, 0, target, size);
  for (const { to, a, b } of parts)
    step.binary(f, node, BINARY.add, operand(a), b === null ? step.scalar(f, -0) : operand(b), f.lowering.at(target, to * f.bytes), [
      hidden,
    ]);
  return target;
}

/** Peepholes of all directions, each gate padded. */
function peepholesOf({ f, node, inputs, attrs, extents, padded }: Site): Ref {
  const count = 3 * attrs.directions;
  const { hidden } = extents;
  const id = inputs[7]!;
  if (isConstant(f.graph, id)) {
    const source = constantNumbers(f.graph, id, f.precision).data;
    const data = new Float64Array(count * padded);
    for (let gate = 0; gate < count; gate++) data.set(source.subarray(gate * hidden, (gate + 1) * hidden), gate * padded);
    return constantOf(f, data);
  }
  const target = scratch(f, count * padded);
  step.fill(f, node, 0, target, count * padded);
  const { words, rank, units } = copyDescriptor([count, hidden], [hidden, 1], [padded, 1], f.bytes);
  const fields = { input: read(f, id), output: target, rank, shape: f.lowering.constant(words), size: f.bytes };
  f.lowering.emit("copy_strided", fields, units, node);
  return target;
}

function functionsOf({ f, attrs }: Site): Ref {
  const view = new DataView(new ArrayBuffer(attrs.directions * 3 * 24));
  attrs.functions.forEach((functions, d) => {
    functions.forEach(({ name, alpha, beta }, i) => {
      const at = (d * 3 + i) * 24;
      view.setInt32(at, UNARY[name], true);
      view.setFloat64(at + 8, alpha, true);
      view.setFloat64(at + 16, beta, true);
    });
  });
  return f.lowering.constant(view);
}

/** Initial states, outputs that something reads, and their strides in bytes. */
function statesOf(site: Site, { node }: Resolved) {
  const { f, inputs, attrs, extents } = site;
  const { batch, steps, hidden } = extents;
  const unit = hidden * f.bytes;
  const { directions } = attrs;
  const output = (i: number): Ref | 0 => {
    const id = node.outputs[i] ?? "";
    return id !== "" && isRead(f, id) ? write(f, id) : 0;
  };
  const strides = attrs.batchFirst
    ? { yStep: directions * unit, yDirection: unit, yBatch: steps * directions * unit, stateDirection: unit, stateBatch: directions * unit }
    : { yStep: directions * batch * unit, yDirection: batch * unit, yBatch: unit, stateDirection: batch * unit, stateBatch: unit };
  const [h0, c0] = [present(site, 5) ? read(f, inputs[5]!) : 0, present(site, 6) ? read(f, inputs[6]!) : 0];
  return { h0, c0, y: output(0), lastH: output(1), lastC: output(2), ...strides };
}
