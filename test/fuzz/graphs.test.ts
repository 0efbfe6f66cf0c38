/** Random quantized graphs: the runtime equals the reference in every bit, for every target and every variant of this engine. */
import { describe, expect, it } from "vitest";
import { engineFor, runReference, Session } from "../../src/api.ts";
import { ModelError, Tensor } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { TARGET_NAMES } from "../../src/numerics/targets.ts";
import type { Target, Variant } from "../../src/plan/plan.ts";
import { randomGraph } from "./randomGraph.ts";

const TIER = process.env.BITEXACT_TIER;
const GRAPHS = TIER === "fast" ? 12 : TIER === "soak" ? 2000 : 300;
const FIRST = Number(process.env.BITEXACT_SEED ?? 1);

async function usable(): Promise<Variant[]> {
  const found: Variant[] = [];
  for (const variant of ["simd", "usdot", "sdot"] as const) {
    try {
      await engineFor(variant);
      found.push(variant);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
    }
  }
  return found;
}

/** Names of the values that differ; a target that refuses the graph with a typed error is no difference. */
async function differences(seed: number, nodes: number, variants: readonly Variant[], target: Target): Promise<string[]> {
  const model = modelOf(randomGraph(seed, nodes));
  const { name, shape } = model.inputs[0]!;
  const dims = shape as number[];
  const random = createPcg32(seed, 99);
  const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.uniform(-3, 3));
  const feeds = { [name]: new Tensor("float32", data, dims) };
  let reference: Record<string, Tensor>;
  try {
    reference = await runReference(model, feeds, { capture: "all", quantized: true, target });
  } catch (error) {
    if (error instanceof ModelError && target !== "exact") return [];
    throw error;
  }
  const wrong: string[] = [];
  for (const variant of variants) {
    const session = await Session.create(model, { target, variant });
    for (const proven of [null, false, true]) {
      if (proven !== null) await session.proveNow(proven);
      const run = session.runSync(feeds, { capture: "all", quantized: true });
      for (const [id, { data: codes }] of Object.entries(reference)) {
        const other = run[id]!.data as Uint8Array;
        const at = (codes as Uint8Array).findIndex((code, i) => !Object.is(code, other[i]));
        if (at >= 0)
          wrong.push(
            `${variant}${proven === null ? "" : proven ? " all proven" : " proven"}: '${id}'[${at}] is ${other[at]}, reference ${codes[at]}`,
          );
      }
    }
    session.dispose();
  }
  return wrong;
}

describe(`random graphs (${GRAPHS} from seed ${FIRST}, a third with tie-heavy scales)`, () => {
  for (const target of TARGET_NAMES) {
    it(`runtime = reference for target ${target}`, async () => {
      const variants = await usable();
      console.log(`variants on this engine: ${variants.join(", ")}`);
      for (let seed = FIRST; seed < FIRST + GRAPHS; seed++) {
        const nodes = 3 + (seed % 12);
        const wrong = await differences(seed, nodes, variants, target);
        if (wrong.length === 0) continue;
        let small = nodes;
        while (small > 1 && (await differences(seed, small - 1, variants, target)).length > 0) small--;
        expect.fail(`seed ${seed}, ${small} nodes: ${(await differences(seed, small, variants, target)).join("\n")}`);
      }
    });
  }
});
