/** Recorded QOperator models of ONNX Runtime: every QLinear* tensor has its hash, in the runtime and in the reference. */
import { describe, expect, it } from "vitest";
import { loadModel, runReference, Session, type Tensor } from "../../src/index.ts";
import { decodeOnnx } from "../../src/onnx/decode.ts";
import { opOf } from "../../src/ops/index.ts";
import { CORPORA, casesOf, KEYS, modelBytes, namesOf, present, sha256 } from "./qopCases.ts";

if (!present) console.log(`corpora not found (${CORPORA}): recorded QOperator models are skipped; set BITEXACT_DATA`);

/** The reference is slow on purpose: the large models only beyond the fast tier. */
const TIER = process.env.BITEXACT_TIER;
const REFERENCE: readonly string[] = TIER === "fast" ? ["cifar_cnn", "mnist"] : KEYS;

/** What the operators of this build can run: gtcrn needs GRU. */
const runnable = KEYS.filter((key) => !present || decodeOnnx(modelBytes(key), {}).nodes.every((node) => opOf(node)));

describe.skipIf(!present)("ONNX Runtime's QOperator models, recorded", () => {
  it.each(runnable)("%s: every tensor that follows from codes has the recorded hash", async (key) => {
    const bytes = modelBytes(key);
    const names = namesOf(bytes);
    const model = await loadModel(bytes);
    const session = await Session.create(model);
    expect(session.target).toBe("ort");
    let compared = 0;
    let counted = 0;
    for (const { label, feeds, tensors } of casesOf(key)) {
      const runs: [string, Record<string, Tensor>][] = [["runtime", await session.run(feeds, { capture: "all", quantized: true })]];
      if (REFERENCE.includes(key)) runs.push(["reference", await runReference(model, feeds, { capture: "all", quantized: true })]);
      for (const [executor, found] of runs) {
        const wrong: string[] = [];
        for (const { name, sha256: hash } of tensors) {
          const { id, exact } = names.get(name) ?? { id: "", exact: false }; // quantized constants are no values of a run
          const equal = found[id] !== undefined && sha256(found[id].data as Uint8Array) === hash;
          if (exact && found[id]) compared++;
          else counted++;
          if (exact && !equal) wrong.push(`${name} (${found[id] ? "differs" : "missing"})`);
        }
        expect(wrong, `${label} in the ${executor}`).toEqual([]);
      }
    }
    console.log(`${key}: ${compared} tensors equal, ${counted} behind float operators`);
    session.dispose();
  });
});
