/** The dot form's kernels against its reference, on every kernel variant that this engine computes right. */

import { describe, expect, it } from "vitest";
import { ModelError } from "../../src/errors.ts";
import { dotForm } from "../../src/forms/dot/form.ts";
import { secondOperand } from "../../src/forms/dot/operands.ts";
import { weightPlanes } from "../../src/forms/dot/weightPlanes.ts";
import { instantiateKernels, moduleGeometry } from "../../src/kernels/instantiate.ts";
import { createMemory } from "../../src/kernels/memory.ts";
import type { Target, Variant } from "../../src/plan/plan.ts";
import { createWeightStore } from "../../src/plan/weightStore.ts";
import { kernelsFor } from "../../src/runtime/kernelSource.ts";
import { activate, createMachine, execute } from "../../src/runtime/machine.ts";
import { readCodes, writeInput } from "../../src/runtime/portCodes.ts";
import { compile } from "../../src/session/compile.ts";
import { promote } from "../../src/session/promote.ts";
import { tensorOf } from "../../src/tensor/numbers.ts";
import { type DotCase, type Granularity, KINDS, makeCase, optionsOf } from "./dotCases.ts";

const SAMPLES = { fast: 4, soak: 600 }[process.env.BITEXACT_TIER ?? ""] ?? 24; // per kind, granularity and variant
const GRANULARITIES: readonly Granularity[] = ["tensor", "channel", "block", "lpbq"];
const TARGETS: readonly Target[] = ["exact", "fixed-single", "fixed-double", "ort"];

interface Engine {
  readonly module: WebAssembly.Module;
  readonly variant: Variant;
}

async function engineOf(variant: Variant): Promise<Engine | string> {
  try {
    return await kernelsFor(variant);
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
}

/** Codes before and after the epilogues are promoted by proof. */
function runtimeCodes(
  engine: Engine,
  { graph, layer, inputs }: DotCase,
  target: Target,
): { codes: number[]; promoted: number[]; proofs: number } {
  const data = dotForm.match(layer, graph)!;
  const module = moduleGeometry(instantiateKernels(engine.module, createMemory(0)), engine.variant);
  const store = createWeightStore();
  const plan = compile({ graph, layers: [{ layer, form: dotForm as never, data }] }, { target, module, store });
  const machine = createMachine(engine.module);
  activate(machine, plan, store);
  const run = (): number[] => {
    for (const port of plan.inputs)
      writeInput(machine, port, tensorOf(port.encoding!.type, Int32Array.from(inputs.get(port.value)!.data), port.shape, port.encoding));
    execute(machine, plan.steps);
    return Array.from(readCodes(machine, plan.outputs[0]!).data as Int8Array);
  };
  const codes = run();
  const promotion = promote(plan, () => machine, true);
  while (!promotion.next().done);
  return { codes, promoted: run(), proofs: plan.proofs.length };
}

function isBlocked(engine: Engine, { graph, layer }: DotCase): boolean {
  const data = dotForm.match(layer, graph)!;
  const { weightMin } = moduleGeometry(instantiateKernels(engine.module, createMemory(0)), engine.variant);
  return weightPlanes(data, secondOperand(data, graph, new Map()), true, weightMin).some(({ blocks }) => blocks !== null);
}

for (const variant of ["simd", "usdot", "sdot"] as const) {
  const engine = await engineOf(variant);
  describe.skipIf(typeof engine === "string")(
    `dot runtime on ${variant}${typeof engine === "string" ? ` (${engine})` : ""}, ${SAMPLES} seeds per case`,
    () => {
      let proofs = 0;
      let blocked = 0; // cases whose kernel multiplies by block integers
      for (const kind of KINDS) {
        for (const granularity of GRANULARITIES) {
          it(`${kind} with weights per ${granularity} equals the reference in every target, before and after promotion`, () => {
            let compared = 0;
            for (let seed = 1; seed <= SAMPLES; seed++) {
              const options = optionsOf(kind, granularity, seed);
              const layerCase = makeCase(options, seed);
              const { graph, layer, inputs } = layerCase;
              const target = TARGETS[granularity === "block" ? 0 : (seed + KINDS.indexOf(kind)) % 4]!;
              const title = `seed ${seed} ${target} ${JSON.stringify(options)}`;
              let expected: number[];
              try {
                expected = Array.from(dotForm.reference(dotForm.match(layer, graph)!, layer, graph, inputs, target)[0]!.data);
              } catch (error) {
                if (!(error instanceof ModelError)) throw error;
                const { code } = error;
                expect(() => runtimeCodes(engine as Engine, layerCase, target), title).toThrow(expect.objectContaining({ code }));
                continue;
              }
              if (granularity === "lpbq" && isBlocked(engine as Engine, layerCase)) blocked++;
              const result = runtimeCodes(engine as Engine, layerCase, target);
              expect(result.codes, title).toEqual(expected);
              expect(result.promoted, `${title} promoted`).toEqual(expected);
              proofs += result.proofs;
              compared++;
            }
            expect(compared).toBeGreaterThan(SAMPLES / 2);
          });
        }
      }

      it("multiplies by the block integers of LPBQ in the kernel where they fit", () => {
        expect(blocked).toBeGreaterThan(SAMPLES / 2);
      });
      it("offers proofs for its 8-bit outputs", () => {
        expect(proofs).toBeGreaterThan(0);
      });
    },
  );
}
