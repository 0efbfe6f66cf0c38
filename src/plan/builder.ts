/** PlanBuilder: collects what forms emit, then fixes every address. Implements Lowering. */
import type { Encoding } from "../encodings/encoding.ts";
import { assert } from "../errors.ts";
import { type Graph, shapeOf, type ValueId, valueNamed } from "../graph/graph.ts";
import { isActivationEncoding } from "../graph/query.ts";
import { KERNELS } from "../kernels/abi.ts";
import { plainPacker, type WeightPacker } from "../kernels/weightPacker.ts";
import { sizeOf } from "../tensor/shape.ts";
import { planArena } from "./arena.ts";
import { constantBytes } from "./constants.ts";
import type { Lowering, ModuleGeometry, Ref } from "./lowering.ts";
import type { Layout, Plan, Port, Proof, Step, Storage, Target } from "./plan.ts";
import { isWide, layoutsCoincide, storageOf } from "./storage.ts";
import { transposeFields } from "./transpose.ts";
import { type Make, type StoreKind, storeWeights, type WeightStore } from "./weightStore.ts";

interface Draft {
  readonly kernel: string;
  readonly fields: Readonly<Record<string, number | Ref>>;
  readonly units: number;
  readonly node: string;
}

interface Buffer {
  readonly bytes: number;
  first: number;
  last: number;
}

interface PointerTable {
  readonly base: Ref;
  readonly offsets: Int32Array;
  readonly zero: Ref;
}

interface DraftPort {
  readonly value: ValueId;
  readonly layout: Layout;
  readonly ref: Ref;
  readonly float: Ref | null;
  readonly convert: readonly Draft[];
  readonly flip: readonly Draft[];
}

type Places = Partial<Record<Layout, Ref>>;
const CONSTANT_ALIGN = 16;

export class PlanBuilder implements Lowering {
  readonly graph: Graph;
  readonly target: Target;
  readonly module: ModuleGeometry;
  readonly packer: WeightPacker;
  private readonly store: WeightStore;
  private readonly drafts: Draft[] = [];
  private readonly buffers: Buffer[] = [];
  private readonly constants: (ArrayBufferView | PointerTable)[] = [];
  private readonly places = new Map<ValueId, Places>();
  private readonly proofs: (Omit<Proof, "epilogueAddress"> & { readonly epilogue: Ref })[] = [];
  private readonly weightKeys = new Set<string>();
  private readonly own = new Map<string, Ref>(); // what the store did not take, by key
  /** Whether what forms pack now serves other plans too. */
  sharing = true;
  private readonly inputPorts: DraftPort[] = [];
  private sink: Draft[] = this.drafts;

  constructor(graph: Graph, target: Target, module: ModuleGeometry, store: WeightStore, packer: WeightPacker = plainPacker(module)) {
    this.graph = graph;
    this.target = target;
    this.module = module;
    this.store = store;
    this.packer = packer;
  }

  constant(bytes: ArrayBufferView): Ref {
    this.constants.push(bytes);
    return { kind: "constant", id: this.constants.length - 1, offset: 0 };
  }

  weights(key: string, make: Make): Ref {
    return this.stored(key, "weights", make);
  }

  shared(key: string, make: () => ArrayBufferView): Ref {
    return this.stored(key, "shared", make);
  }

  private stored(key: string, kind: StoreKind, make: Make): Ref {
    const address = this.sharing ? storeWeights(this.store, key, kind, make) : undefined;
    if (address === undefined) {
      const ref = this.own.get(key) ?? this.constant(make());
      this.own.set(key, ref);
      return ref;
    }
    this.weightKeys.add(key);
    return { kind: "weights", id: address, offset: 0 };
  }

  pointers(base: Ref, offsets: Int32Array, zero: Ref): Ref {
    this.constants.push({ base, offsets, zero });
    return { kind: "constant", id: this.constants.length - 1, offset: 0 };
  }

  buffer(bytes: number): Ref {
    this.buffers.push({ bytes, first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY });
    return { kind: "buffer", id: this.buffers.length - 1, offset: 0 };
  }

  at(ref: Ref, offset: number): Ref {
    return { ...ref, offset: ref.offset + offset };
  }

  storage(encoding: Encoding): Storage {
    return storageOf(encoding, this.module.signed);
  }

  layoutOf(id: ValueId): Layout {
    const places = this.places.get(id);
    return places && !places.rowMajor && places.channelsLast ? "channelsLast" : "rowMajor";
  }

  input(id: ValueId, layout: Layout): Ref {
    const value = valueNamed(this.graph, id);
    const places: Places = this.places.get(id) ?? {};
    this.places.set(id, places);
    const known = places[layout];
    if (known) return known;
    const shape = shapeOf(this.graph, id);
    if (value.data) {
      const ref = this.constant(constantBytes(value, shape, layout, this.module.signed));
      places[layout] = ref;
      return ref;
    }
    const other: Layout = layout === "rowMajor" ? "channelsLast" : "rowMajor";
    const from = places[other];
    assert(from !== undefined, `value '${id}' is read before a step writes it`);
    const ref = layoutsCoincide(shape) ? from : this.transpose(id, shape, from, other, layout);
    places[layout] = ref;
    return ref;
  }

  private elementBytes(id: ValueId): number {
    const value = valueNamed(this.graph, id);
    return isActivationEncoding(value) ? this.storage(value.encoding!).bytes : this.plainBytes(id);
  }

  private plainBytes(id: ValueId): number {
    return isWide(valueNamed(this.graph, id).type) ? 8 : 4;
  }

  private transpose(id: ValueId, shape: readonly number[], from: Ref, fromLayout: Layout, toLayout: Layout): Ref {
    const bytes = this.elementBytes(id);
    const to = this.buffer(bytes * sizeOf(shape));
    const { fields, units } = transposeFields(this, shape, bytes, from, fromLayout, to, toLayout);
    this.emit("copy_strided", fields, units, id);
    return to;
  }

  output(id: ValueId, layout: Layout): Ref {
    const size = sizeOf(shapeOf(this.graph, id));
    const ref = this.buffer(size * this.elementBytes(id));
    this.places.set(id, { [layout]: ref });
    return ref;
  }

  alias(output: ValueId, input: ValueId, from: Layout = "rowMajor", to: Layout = "rowMajor"): void {
    this.places.set(output, { [to]: this.input(input, from) });
  }

  emit(kernel: string, fields: Readonly<Record<string, number | Ref>>, units: number, node: string, uses: readonly Ref[] = []): void {
    const names = KERNELS[kernel];
    assert(names !== undefined, `no kernel '${kernel}'`);
    for (const name of names) assert(fields[name] !== undefined, `${kernel}: field '${name}' is missing`);
    assert(Object.keys(fields).length === names.length, `${kernel}: fields ${Object.keys(fields).join(",")} are not ${names.join(",")}`);
    if (this.sink === this.drafts) this.touch([...Object.values(fields), ...uses], this.drafts.length);
    this.sink.push({ kernel, fields, units, node });
  }

  private touch(refs: readonly (number | Ref)[], time: number): void {
    for (const ref of refs) {
      if (typeof ref === "number") continue;
      if (ref.kind === "constant") {
        const content = this.constants[ref.id]!;
        if ("zero" in content) this.touch([content.base, content.zero], time);
      } else if (ref.kind === "buffer") {
        const buffer = this.buffers[ref.id]!;
        buffer.first = Math.min(buffer.first, time);
        buffer.last = Math.max(buffer.last, time);
      }
    }
  }

  prove(node: string, epilogue: Ref, channels: number, bounds: Pick<Proof, "accMin" | "accMax">): void {
    this.proofs.push({ node, epilogue, channels, panels: Math.ceil(channels / 8), ...bounds });
  }

  /** Runs `emitSteps` and keeps its steps apart (conversions at the edge). `time`: when their buffers are alive. */
  private apart(time: number, emitSteps: () => void): Draft[] {
    const steps: Draft[] = [];
    this.sink = steps;
    emitSteps();
    this.sink = this.drafts;
    for (const step of steps) this.touch(Object.values(step.fields), time);
    return steps;
  }

  /** Declares a graph input: codes (with a float twin and its conversion) or plain floats, row-major, alive from the start. */
  addInput(id: ValueId, quantize: ((ctx: Lowering, from: Ref, to: Ref) => void) | null): void {
    const ref = this.output(id, "rowMajor");
    this.touch([ref], -1);
    const size = sizeOf(shapeOf(this.graph, id));
    const float = quantize ? this.buffer(size * this.plainBytes(id)) : null;
    const convert = quantize && float ? this.apart(-1, () => quantize(this, float, ref)) : [];
    if (float) this.touch([float], -1);
    this.inputPorts.push({ value: id, layout: "rowMajor", ref, float, convert, flip: this.flip(id, ref, -1) });
  }

  /** Declares a value that is read after the last step; call when all layers are lowered. */
  private exit(id: ValueId, dequantize: ((ctx: Lowering, from: Ref, to: Ref) => void) | null): DraftPort {
    const end = Number.MAX_SAFE_INTEGER;
    if (dequantize) {
      const ref = this.input(id, "rowMajor");
      const float = this.buffer(this.plainBytes(id) * sizeOf(shapeOf(this.graph, id)));
      const convert = this.apart(end, () => dequantize(this, ref, float));
      this.touch([ref, float], end);
      return { value: id, layout: "rowMajor", ref, float, convert, flip: this.flip(id, ref, end) };
    }
    const layout = this.layoutOf(id);
    const ref = this.input(id, layout);
    this.touch([ref], end);
    return { value: id, layout, ref, float: null, convert: [], flip: this.flip(id, ref, end) };
  }

  /** The step between codes and stored codes, in place; none where they are the same. */
  private flip(id: ValueId, ref: Ref, time: number): Draft[] {
    const value = valueNamed(this.graph, id);
    if (!isActivationEncoding(value)) return [];
    const { bytes, shift } = this.storage(value.encoding!);
    if (shift === 0) return [];
    const size = bytes * sizeOf(shapeOf(this.graph, id));
    const mask = bytes === 1 ? 0x80808080 : 0x80008000;
    return this.apart(time, () => this.emit("flip_top", { address: ref, mask }, size, id));
  }

  /** Fixes every address. The builder is spent afterwards. */
  finish(
    outputs: readonly ValueId[],
    captures: readonly ValueId[],
    dequantize: (id: ValueId) => ((ctx: Lowering, from: Ref, to: Ref) => void) | null,
  ): Plan {
    const outputPorts = outputs.map((id) => this.exit(id, dequantize(id)));
    const capturePorts = captures.map((id) => this.exit(id, null));
    for (const buffer of this.buffers) if (buffer.first > buffer.last) buffer.first = buffer.last = 0;
    const arena = planArena(this.buffers);
    this.store.sealed = true;
    const base = Math.ceil(this.store.end / 64) * 64;
    const ports = [...this.inputPorts, ...outputPorts, ...capturePorts];
    const all = [...this.drafts, ...ports.flatMap((port) => [...port.convert, ...port.flip])];
    const argsBytes = all.reduce((sum, step) => sum + 4 * KERNELS[step.kernel]!.length, 0);
    let cursor = base + Math.ceil(argsBytes / CONSTANT_ALIGN) * CONSTANT_ALIGN;
    const addresses = this.constants.map((content) => {
      const address = cursor;
      const bytes = "zero" in content ? content.offsets.length * 4 : content.byteLength;
      cursor += Math.ceil((bytes + 16) / CONSTANT_ALIGN) * CONSTANT_ALIGN;
      return address;
    });
    const arenaBase = Math.ceil(cursor / 64) * 64;
    const resolve = (ref: Ref): number => {
      if (ref.kind === "weights") return ref.id + ref.offset;
      if (ref.kind === "constant") return addresses[ref.id]! + ref.offset;
      return arenaBase + arena.offsets[ref.id]! + ref.offset;
    };
    const bytes = new Uint8Array(arenaBase - base);
    const view = new DataView(bytes.buffer);
    this.writeConstants(bytes, base, addresses, resolve);
    let argsCursor = base;
    const place = (draft: Draft): Step => {
      const args = argsCursor;
      for (const name of KERNELS[draft.kernel]!) {
        const field = draft.fields[name]!;
        view.setInt32(argsCursor - base, typeof field === "number" ? field : resolve(field), true);
        argsCursor += 4;
      }
      return { kernel: draft.kernel, args, units: draft.units, node: draft.node };
    };
    const steps = this.drafts.map(place);
    const toPort = (port: DraftPort): Port => this.port(port, resolve, place);
    return {
      variant: this.module.variant,
      target: this.target,
      steps,
      weights: [...this.weightKeys].map((key) => ({ key, ...this.store.entries.get(key)! })),
      constants: { address: base, bytes },
      arena: { address: arenaBase, bytes: arena.bytes },
      inputs: this.inputPorts.map(toPort),
      outputs: outputPorts.map(toPort),
      captures: capturePorts.map(toPort),
      proofs: this.proofs.map(({ epilogue, ...proof }) => ({ ...proof, epilogueAddress: resolve(epilogue) })),
    };
  }

  private writeConstants(bytes: Uint8Array, base: number, addresses: readonly number[], resolve: (ref: Ref) => number): void {
    this.constants.forEach((content, id) => {
      const offset = addresses[id]! - base;
      if (!("zero" in content)) {
        bytes.set(new Uint8Array(content.buffer, content.byteOffset, content.byteLength), offset);
        return;
      }
      const from = resolve(content.base);
      const zero = resolve(content.zero);
      const { offsets } = content;
      const pointers = new Int32Array(bytes.buffer, offset, offsets.length);
      for (let i = 0; i < offsets.length; i++) pointers[i] = offsets[i] === -1 ? zero : from + offsets[i]!;
    });
  }

  private port(port: DraftPort, resolve: (ref: Ref) => number, place: (draft: Draft) => Step): Port {
    const value = valueNamed(this.graph, port.value);
    const encoding = isActivationEncoding(value) ? value.encoding! : null;
    return {
      value: port.value,
      type: value.type,
      ...(encoding ? { encoding, storage: this.storage(encoding) } : {}),
      shape: shapeOf(this.graph, port.value),
      layout: port.layout,
      address: resolve(port.ref),
      floatAddress: port.float ? resolve(port.float) : -1,
      convert: port.convert.map(place),
      flip: port.flip.map(place),
    };
  }
}
