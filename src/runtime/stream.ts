/** Stream: runs that hand states on to the next one, inside WASM memory. */
import { sameEncoding } from "../encodings/encoding.ts";
import { modelError, SessionError } from "../errors.ts";
import type { Port } from "../plan/plan.ts";
import { forEachElement, layoutsCoincide } from "../plan/storage.ts";
import { type ElementType, newArray, type TypedArray } from "../tensor/dtype.ts";
import { formatShape, sameShape, sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { checkedFeeds, tensorFlaw } from "./arguments.ts";
import { enterFeeds } from "./bound.ts";
import type { Feeds } from "./feeds.ts";
import { keep, release } from "./kept.ts";
import { type Machine, runCalls } from "./machine.ts";
import type { Gate } from "./ports.ts";
import type { Job, Runner, RunOptions, Task } from "./runner.ts";
import { givenPairs, inferredPairs, type PortInfo, type StatePair } from "./states.ts";

export interface StreamOptions {
  /** Which output of a step is which input of the next: { output: input }. Default: by name, as past.* and present.*, h_in and h_out. */
  readonly state?: Readonly<Record<string, string>>;
  /** States before the first step, by input. Default: zeros. */
  readonly initial?: Readonly<Record<string, Tensor>>;
}

/** A sequence of runs of a stateful model. Several streams of one session, and other runs between theirs, do not disturb each other. */
export interface Stream {
  /** Names: output → input. */
  readonly states: Readonly<Record<string, string>>;
  /** One step. feeds: the inputs that are no states. Returns the outputs that are no states, or the fetches. A step that fails leaves the states as
   *  they were. throws as Session.run; ModelError "stream/…" for states that cannot be handed on. */
  run(feeds: Feeds, options?: RunOptions): Promise<Record<string, Tensor>>;
  /** As run, synchronously. throws as Session.runSync. */
  runSync(feeds: Feeds, options?: RunOptions): Record<string, Tensor>;
  /** The states of the next step by input: float32 (plain types as they are), or codes with `quantized`. */
  state(quantized?: boolean): Record<string, Tensor>;
  /** Back to the initial states. */
  reset(): void;
  /** Lets go of the states' memory; idempotent. */
  dispose(): void;
  [Symbol.dispose](): void;
}

interface State extends StatePair {
  tensor: Tensor | null; // the initial one, or one of the shape the state has by now: later it only stands in for what is kept
  kept: Kept | null; // null before the first step
}

/** Where a state is kept between steps, and the gate it left through. */
interface Kept {
  readonly offset: number;
  readonly bytes: number;
  readonly gate: Gate;
}

const NO_OPTIONS: RunOptions = {};

/** throws ModelError "stream/…". */
export function createStream(runner: Runner, options: StreamOptions = {}): Stream {
  if (typeof options !== "object" || options === null) throw modelError("option/type", "options: expected a record of options, or nothing");
  const { state, initial = {} } = options;
  const { inputs, outputs } = runner;
  const pairs = state ? givenPairs(state, inputs, outputs) : inferredPairs(inputs, outputs);
  checkInitial(pairs, initial);
  const fetches = outputs.map(({ name }) => name).filter((name) => !pairs.some(({ output }) => output === name));
  const first = (pair: StatePair): State => ({
    ...pair,
    tensor: Object.hasOwn(initial, pair.input) ? initial[pair.input]! : null,
    kept: null,
  });
  let states: readonly State[] | null = pairs.map(first); // null once disposed
  const forget = (next: readonly State[] | null): void => {
    for (const { kept } of states ?? []) if (kept && runner.machine) release(runner.machine, kept.offset, kept.bytes);
    states = next;
  };
  const live = (): readonly State[] => {
    if (!states) throw new SessionError("session/disposed", "the stream was disposed; create a new one");
    return states;
  };
  const task = (feeds: Feeds, options: RunOptions): Task => {
    let mine: readonly State[] = [];
    return {
      begin: (machine) => {
        mine = live();
        const fed = withStates(inputs, mine, feeds);
        const job = runner.begin(machine, fed, { fetches, ...options }, (gates) => enter(machine, gates, mine, fed));
        for (const state of mine) checkHandover(job, state, inputs);
        return job;
      },
      finish: (job) => {
        const results = runner.finish(job);
        if (states === mine) leave(runner.live(), mine, job); // not reset meanwhile
        return results;
      },
    };
  };
  const now = (step: Task): Record<string, Tensor> => {
    const job = step.begin(runner.idle());
    runCalls(job.bound.calls);
    return step.finish(job);
  };
  const dispose = (): void => forget(null);
  return {
    states: Object.fromEntries(pairs.map(({ output, input }) => [output, input])),
    run: async (feeds, options = NO_OPTIONS) => {
      const step = task(feeds, options);
      return runner.waits(options) ? runner.inTurn(step, options) : now(step);
    },
    runSync: (feeds, options = NO_OPTIONS) => now(task(feeds, options)),
    state: (quantized = false) => {
      const machine = runner.live();
      return Object.fromEntries(live().map((state) => [state.input, read(machine, state, inputs, quantized)]));
    },
    reset: () => {
      if (states) forget(pairs.map(first));
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}

function checkInitial(pairs: readonly StatePair[], initial: Readonly<Record<string, Tensor>>): void {
  if (typeof initial !== "object" || initial === null) throw modelError("stream/initial", "initial: expected a record of tensors by input");
  for (const [name, tensor] of Object.entries(initial)) {
    if (!pairs.some(({ input }) => input === name)) throw modelError("stream/unknown-state", `initial '${name}': not the input of a state`);
    const flaw = tensorFlaw(tensor);
    if (flaw) throw modelError("stream/initial", `initial '${name}': ${flaw}`, { tensor: name });
  }
}

/** The feeds with a tensor for each state. throws ModelError "stream/state-fed", "stream/initial". */
function withStates(inputs: readonly PortInfo[], states: readonly State[], feeds: Feeds): Feeds {
  const all: Feeds = { ...checkedFeeds(feeds) };
  for (const state of states) {
    const { input } = state;
    if (Object.hasOwn(feeds, input))
      throw modelError("stream/state-fed", `input '${input}': is a state of the stream; give it as initial, or leave it out`, {
        tensor: input,
      });
    all[input] = state.tensor ??= zeros(inputs, input, feeds);
  }
  return all;
}

/** Zeros for a state; symbolic dimensions are those of the feeds that share their names. throws ModelError "stream/initial". */
function zeros(inputs: readonly PortInfo[], name: string, feeds: Feeds): Tensor {
  const symbols = new Map<number | string, number>();
  for (const { name, shape } of inputs) {
    const fed = Object.hasOwn(feeds, name) ? feeds[name] : undefined;
    const flaw = fed && tensorFlaw(fed);
    if (flaw) throw modelError("run/input-tensor", `input '${name}': ${flaw}`, { tensor: name });
    shape.forEach((dim, i) => void symbols.set(dim, fed?.dims[i] ?? symbols.get(dim) ?? Number.NaN));
  }
  const { type, shape } = inputs.find((input) => input.name === name)!;
  const dims = shape.map((dim) => (typeof dim === "number" ? dim : symbols.get(dim)!));
  if (dims.some(Number.isNaN))
    throw modelError("stream/initial", `state '${name}': its shape ${formatShape(shape)} is not known; give it as initial`, {
      tensor: name,
    });
  return new Tensor(type, newArray(type, sizeOf(dims)), dims);
}

/** Puts states and feeds where the plan reads them. */
function enter(machine: Machine, gates: readonly Gate[], states: readonly State[], fed: Feeds): void {
  for (const gate of gates) {
    const kept = states.find(({ input }) => input === gate.name)?.kept;
    if (!kept) enterFeeds([gate], fed);
    else copy(machine, machine.kept!.address + kept.offset, gate.port.address, kept.bytes);
  }
}

/** throws ModelError for a state that is not what the next step takes: "stream/state-encoding", "stream/state-shape". */
function checkHandover({ views }: Job, { output, input }: StatePair, inputs: readonly PortInfo[]): void {
  const [from, to] = [gateOf(views.outputs, output).port, gateOf(views.inputs, input).port];
  const same =
    from.encoding && to.encoding ? sameEncoding(from.encoding, to.encoding) : from.encoding === to.encoding && from.type === to.type;
  const refuse = (code: string, why: string): never => {
    throw modelError(code, `state '${output}' → '${input}': ${why}`, { tensor: output });
  };
  if (!same)
    refuse("stream/state-encoding", `leaves as ${grid(from)} and enters as ${grid(to)}; give both one encoding, or feed it by hand`);
  const { shape } = inputs.find(({ name }) => name === input)!;
  if (shape.length !== from.shape.length || shape.some((dim, i) => typeof dim === "number" && dim !== from.shape[i]))
    refuse("stream/state-shape", `leaves as ${formatShape(from.shape)} and enters as ${formatShape(shape)}`);
}

function grid({ type, encoding }: Port): string {
  return encoding ? `${encoding.type}, scale ${encoding.scale[0]}, zero point ${encoding.zeroPoint[0]}` : type;
}

/** Keeps what left through the states' gates, row-major; all of them or, where memory lacks, none. */
function leave(machine: Machine, states: readonly State[], { views }: Job): void {
  const next = states.map(({ output }) => {
    const gate = gateOf(views.outputs, output);
    return { gate, bytes: gate.size * regionOf(gate).BYTES_PER_ELEMENT };
  });
  const fresh: Omit<Kept, "gate">[] = [];
  try {
    for (const [i, { bytes }] of next.entries()) if (states[i]!.kept?.bytes !== bytes) fresh.push({ offset: keep(machine, bytes), bytes }); // may grow the memory, which ends the gates' views
  } catch (error) {
    for (const { offset, bytes } of fresh.reverse()) release(machine, offset, bytes);
    throw error;
  }
  for (const [i, { gate, bytes }] of next.entries()) {
    const state = states[i]!;
    const old = state.kept;
    const place = old?.bytes === bytes ? old : fresh.shift()!;
    state.kept = { offset: place.offset, bytes, gate };
    keepElements(machine, state, gate, place.offset);
    if (old && old !== place) release(machine, old.offset, old.bytes);
  }
}

function keepElements(machine: Machine, state: State, gate: Gate, offset: number): void {
  const { address, shape, layout, encoding, type } = gate.port;
  const to = machine.kept!.address + offset;
  if (layout === "rowMajor" || layoutsCoincide(shape)) copy(machine, address, to, gate.size * regionOf(gate).BYTES_PER_ELEMENT);
  else {
    const [from, into] = [address, to].map((at) => viewLike(machine, gate, at));
    forEachElement(shape, layout, (rowMajor, memory) => {
      into![rowMajor] = from![memory]!;
    });
  }
  if (sameShape(state.tensor!.dims, shape)) return;
  const taken = encoding?.type ?? type;
  state.tensor = new Tensor(taken, newArray(taken, gate.size), shape);
}

/** Within the machine's memory. */
function copy({ buffer }: Machine, from: number, to: number, bytes: number): void {
  new Uint8Array(buffer).copyWithin(to, from, from + bytes);
}

type Region = NonNullable<Gate["codes"] | Gate["floats"]>;

function regionOf({ codes, floats }: Gate): Region {
  return codes ?? floats!;
}

/** An array like the gate's own, elsewhere. */
function viewLike({ buffer }: Machine, gate: Gate, address: number): Region {
  const kind = regionOf(gate).constructor as new (buffer: ArrayBufferLike, address: number, length: number) => Region;
  return new kind(buffer, address, gate.size);
}

/** The state as a tensor of its own. */
function read(machine: Machine, { input, tensor, kept }: State, inputs: readonly PortInfo[], quantized: boolean): Tensor {
  if (!kept) {
    const { type, data, dims, encoding } = tensor ?? zeros(inputs, input, {});
    const own = new Tensor(type, data.slice(), dims, encoding);
    return quantized || !encoding ? own : own.toFloat();
  }
  const { gate } = kept;
  const { encoding, storage, shape } = gate.port;
  const stored = viewLike(machine, gate, machine.kept!.address + kept.offset);
  if (!encoding || !storage) return new Tensor(gate.plainType, converted(stored, gate.plainType), shape);
  const codes = newArray(encoding.type, gate.size);
  for (let i = 0; i < gate.size; i++) codes[i] = stored[i]! - storage.shift;
  const own = new Tensor(encoding.type, codes, shape, encoding);
  return quantized ? own : own.toFloat();
}

/** Plain elements, which lie in memory as floats, in an array of their type. */
function converted(stored: Region, type: ElementType): TypedArray {
  const data = newArray(type, stored.length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) for (let i = 0; i < data.length; i++) data[i] = BigInt(stored[i]!);
  else data.set(stored);
  return data;
}

function gateOf(gates: readonly Gate[], name: string): Gate {
  return gates.find((gate) => gate.name === name)!;
}
