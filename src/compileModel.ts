/** compileModel: a model's plans and packed weights, for several kernel variants, as one file that bitexact/runtime loads. */
import { type CompiledPlan, writeBex } from "./bex/write.ts";
import { type Issue, ModelError, modelError, SessionError } from "./errors.ts";
import { loadFull } from "./full.ts";
import { CORE_ELEMENTWISE } from "./kernels/coreElementwise.ts";
import { DOT_KERNELS } from "./kernels/dot.ts";
import { GEOMETRIES } from "./kernels/geometries.ts";
import { buildOfBytes } from "./kernels/moduleBuild.ts";
import type { Model } from "./model.ts";
import { type Prepared, prepare } from "./passes/prepare.ts";
import type { Plan, Target, Variant } from "./plan/plan.ts";
import { createWeightStore } from "./plan/weightStore.ts";
import { checkedOptions, checkNames, refusal } from "./runtime/arguments.ts";
import { compileKernels, kernelBytes, type Shared } from "./runtime/kernelSource.ts";
import { withinMemory } from "./runtime/outOfMemory.ts";
import { compile } from "./session/compile.ts";
import { checkedTarget } from "./session/engine.ts";
import { inputSpecs } from "./session/inputSpecs.ts";
import { checkedModel, checkShapes } from "./session/modelArguments.ts";
import { promoteAhead } from "./session/promote.ts";
import { capturable } from "./session/session.ts";
import { VERSION } from "./version.ts";

export interface CompileModelOptions {
  /** Default: ort for models in QOperator form, exact for all others. */
  readonly target?: Target;
  /** Kernel variants to hold plans and weights for; default: all. */
  readonly variants?: readonly Variant[];
  /** Of every input with symbolic dimensions. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** Values that runs may capture; default: none. */
  readonly capture?: "all" | readonly string[];
  readonly signal?: AbortSignal;
}

const VARIANTS: readonly Variant[] = ["usdot", "sdot", "simd"];

/** The bytes of a .bex file. Epilogues are proven here, so a run of it proves nothing.
 *  throws ModelError "option/…", for shapes that are missing or do not fit, and for what no kernel serves; SessionError "session/aborted". */
export async function compileModel(model: Model, options: CompileModelOptions = {}): Promise<Uint8Array> {
  const { graph } = checkedModel(model);
  const { signal, shapes = {}, capture } = checkedOptions(options);
  const variants = checkedVariants(options.variants);
  const target = checkedTarget(options.target, graph);
  checkShapes(shapes);
  checkNames("capture", capture);
  await loadFull();
  const specs = inputSpecs(graph);
  const prepared = withinMemory(() => prepare(graph, shapes));
  const captures = capturesOf(prepared, capture);
  const builds = await moduleBuilds();
  const compiled: CompiledPlan[] = [];
  for (const variant of variants) {
    if (signal?.aborted) throw new SessionError("session/aborted", "the model was not compiled: the call was aborted");
    const plan = withinMemory(() => compile(prepared, { target, module: GEOMETRIES[variant], store: createWeightStore(), captures }));
    promoteAhead(plan);
    compiled.push({ plan, modules: modulesOf(plan, builds) });
  }
  const bounds = Object.fromEntries(specs.flatMap(({ value, bound }) => (bound === undefined ? [] : [[value.id, bound]])));
  return writeBex({ producer: `bitexact ${VERSION}`, name: graph.name, target, bounds }, compiled);
}

function checkedVariants(variants: readonly Variant[] | undefined): readonly Variant[] {
  if (variants === undefined) return VARIANTS;
  if (!Array.isArray(variants) || variants.length === 0 || variants.some((variant) => !VARIANTS.includes(variant)))
    throw refusal("option/variants", "variants", variants, `a list of ${VARIANTS.join(", ")}`);
  return VARIANTS.filter((variant) => variants.includes(variant));
}

function capturesOf(prepared: Prepared, capture: CompileModelOptions["capture"]): readonly string[] {
  const known = capturable(prepared);
  if (capture === "all") return known;
  const names = [...new Set(capture ?? [])];
  const issues = names
    .filter((name) => !known.includes(name))
    .map((name): Issue => {
      const message = `capture '${name}': not an encoded value or a value between layers; inspect the model for the names`;
      return { code: "run/unknown-value", tensor: name, message };
    });
  if (issues.length > 0) throw new ModelError(issues);
  return names;
}

interface Builds {
  readonly builds: ReadonlyMap<string, string>; // by module
  readonly float: ReadonlySet<string>; // its kernels
}

async function moduleBuilds(): Promise<Builds> {
  const names: readonly (Variant | Shared)[] = [...VARIANTS, "float", "rest-signed", "rest-unsigned"];
  const builds = await Promise.all(names.map(async (name) => [name, buildOfBytes(await kernelBytes(name))] as const));
  const unknown = builds.filter(([, build]) => build === undefined).map(([name]) => name);
  if (unknown.length > 0)
    throw modelError(
      "bex/kernels",
      `kernel modules ${unknown.join(", ")}: found no section "abi"; use the modules of the package unchanged`,
    );
  const float = WebAssembly.Module.exports(await compileKernels("float")).map(({ name }) => name);
  return { builds: new Map(builds as [string, string][]), float: new Set(float) };
}

/** The modules that hold the plan's kernels, with their builds. */
function modulesOf(plan: Plan, { builds, float }: Builds): Record<string, string> {
  const ports = [...plan.inputs, ...plan.outputs, ...plan.captures];
  const steps = [...plan.steps, ...ports.flatMap(({ convert, flip }) => [...convert, ...flip])];
  const rest = GEOMETRIES[plan.variant].signed ? "rest-signed" : "rest-unsigned";
  const names = new Set<string>([plan.variant]);
  for (const { kernel } of steps)
    if (!Object.hasOwn(DOT_KERNELS, kernel) && !Object.hasOwn(CORE_ELEMENTWISE, kernel)) names.add(float.has(kernel) ? "float" : rest);
  return Object.fromEntries([...names].map((name) => [name, builds.get(name)!]));
}
