/** Loading compiled models: without a parser, a planner or a prover. */
import { ModelError, modelError } from "../errors.ts";
import type { Source } from "../io/source.ts";
import type { Variant } from "../plan/plan.ts";
import { checkedChoice, checkedOptions } from "../runtime/arguments.ts";
import { type BexBytes, openBytes } from "./bytes.ts";
import { checksumOf } from "./checksum.ts";
import { type BexHeader, type BexPlan, PREAMBLE_BYTES } from "./format.ts";
import { altered, type Preamble, readHeader, readPreamble, truncated } from "./header.ts";
import { checkKernels, machineFor, modulesOf, type PlanModules, placeImage, planOf } from "./place.ts";
import { CompiledSession } from "./session.ts";

export interface CompiledOptions {
  /** auto, the default: of the variants in the file the fastest that computes right on this engine. */
  readonly variant?: Variant | "auto";
  readonly signal?: AbortSignal;
}

const BEST_FIRST: readonly Variant[] = ["usdot", "sdot", "simd"];

/** A session of a model that `bitexact compile` or compileModel made. throws ModelError "bex/…" for a file that is damaged, of another version, or made for other kernels;
 *  "source/…"; "session/variant". */
export async function loadCompiled(source: Source, options: CompiledOptions = {}): Promise<CompiledSession> {
  const { signal, variant } = checkedOptions(options);
  const wanted = checkedChoice("variant", variant, ["auto", ...BEST_FIRST] as const, "auto");
  const bytes = await openBytes(source, signal);
  try {
    const { preamble, header } = await fileHeader(bytes);
    const { plan, chosen } = await choosePlan(header, wanted);
    signal?.throwIfAborted();
    const machine = machineFor(plan, chosen);
    checkKernels(machine, plan);
    await placeImage(bytes, header, plan, preamble.headerBytes, machine);
    return new CompiledSession(machine, planOf(header, plan, chosen.signed), header.bounds, header.target);
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) throw (await import("../kernels/trouble.ts")).explain(error); // the checksum's module, under a policy
    throw error;
  } finally {
    bytes.close();
  }
}

async function preambleOf(bytes: BexBytes): Promise<Preamble> {
  const first = new Uint8Array(Math.min(PREAMBLE_BYTES, bytes.size ?? PREAMBLE_BYTES));
  await bytes.read(first, 0);
  const preamble = readPreamble(first);
  if (bytes.size !== undefined && bytes.size !== preamble.fileBytes) throw truncated(bytes.size, preamble.fileBytes);
  return preamble;
}

/** throws ModelError "bex/…". */
export async function fileHeader(bytes: BexBytes): Promise<{ readonly preamble: Preamble; readonly header: BexHeader }> {
  const preamble = await preambleOf(bytes);
  return { preamble, header: await headerOf(bytes, preamble) };
}

async function headerOf(bytes: BexBytes, preamble: Preamble): Promise<BexHeader> {
  const text = new Uint8Array(preamble.headerBytes);
  await bytes.read(text, PREAMBLE_BYTES);
  if (checksumOf(text) !== preamble.checksum) throw altered("the header");
  return readHeader(text, preamble);
}

interface Choice {
  readonly plan: BexPlan;
  readonly chosen: PlanModules;
}

/** The best plan whose kernels pass their known-answer test here. */
async function choosePlan({ plans }: BexHeader, wanted: Variant | "auto"): Promise<Choice> {
  const reasons: string[] = [];
  for (const variant of wanted === "auto" ? BEST_FIRST : [wanted]) {
    const plan = plans.find((one) => one.variant === variant);
    if (!plan) continue;
    try {
      return { plan, chosen: await modulesOf(plan) };
    } catch (error) {
      if (!(error instanceof ModelError && error.code === "session/variant")) throw error;
      reasons.push(error.message);
    }
  }
  const held = plans.map((plan) => plan.variant).join(", ");
  if (reasons.length > 0) throw modelError("session/variant", reasons.join("\n"));
  throw modelError("bex/variant", `compiled model: it holds kernels ${held}, not ${wanted}; compile it with --variant ${wanted}`);
}
