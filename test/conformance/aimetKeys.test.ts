/** AIMET-style encodings of peers' models in three formats: the same graph, the same bytes; recorded integers counted. */
import { existsSync, readdirSync } from "node:fs";
import { describe, expect, it, type TestContext } from "vitest";
import { printGraph } from "../../src/graph/print.ts";
import { loadModel, type Model, ModelError, Session, type Tensor } from "../../src/index.ts";
import type { LoadedModel } from "../../src/model.ts";
import { type Cases, caseFeeds, corpusJson, corpusPath, corpusPresent, hash, peerCodes } from "./corpora.ts";

const FOLDER = "aimet";
const FORMATS = ["061", "100", "200"];
const present = corpusPresent(FOLDER, "AIMET encodings of peers' models");

interface Scheme {
  readonly key: string;
  readonly scheme: string;
}

function schemes(): Scheme[] {
  if (!present) return [];
  return readdirSync(corpusPath(FOLDER), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(corpusPath("golden-ort", entry.name, "cases.json")))
    .flatMap(({ name: key }) =>
      readdirSync(corpusPath(FOLDER, key))
        .filter((file) => file.endsWith(".golden.json"))
        .map((file) => ({ key, scheme: file.replace(".golden.json", "") })),
    );
}

async function load({ key, scheme }: Scheme, file: string, format: string, context: TestContext): Promise<Model> {
  const encodings = corpusPath(FOLDER, key, `${scheme}.${format}.encodings`);
  return loadModel(corpusPath(file), { encodings }).catch((error: unknown) => {
    if (!(error instanceof ModelError) || error.code !== "op/unsupported") throw error;
    return context.skip(`not loaded: ${[...new Set(error.issues.map(({ message }) => message.split(" ")[0]))].join(", ")}`);
  });
}

/** Names and hashes of everything a session computes for a case. */
async function bytesOf(model: Model, feeds: Record<string, Tensor>): Promise<Map<string, string>> {
  const session = await Session.create(model, { shapes: Object.fromEntries(Object.entries(feeds).map(([id, { dims }]) => [id, dims])) });
  const results = session.runSync(peerCodes(model, feeds), { capture: "all", quantized: true });
  session.dispose();
  return new Map(Object.entries(results).map(([id, tensor]) => [id, `${tensor.type} ${hash(tensor)}`]));
}

describe.skipIf(!present)("AIMET encodings 0.6.1, 1.0.0 and 2.0.0 of peers' models", () => {
  for (const { key, scheme } of schemes()) {
    it(`${key}/${scheme}: the same graph, the same bytes`, async (context) => {
      const golden = corpusJson<Cases>(FOLDER, key, `${scheme}.golden.json`);
      const { cases } = corpusJson<Cases>("golden-ort", key, "cases.json");
      const models: Model[] = [];
      for (const format of FORMATS) models.push(await load({ key, scheme }, golden.model, format, context));
      const graphs = models.map((model) => printGraph((model as LoadedModel).graph));
      expect(graphs[1]).toBe(graphs[0]);
      expect(graphs[2]).toBe(graphs[0]);
      const feeds = caseFeeds(`golden-ort/${key}`, cases[0]!);
      const bytes: Map<string, string>[] = [];
      for (const model of models) bytes.push(await bytesOf(model, feeds));
      expect(bytes[1]).toEqual(bytes[0]);
      expect(bytes[2]).toEqual(bytes[0]);
      const tensors = golden.cases[0]!.tensors!;
      const known = tensors.filter(({ name }) => bytes[0]!.has(name));
      const equal = known.filter(({ name, dtype, sha256 }) => bytes[0]!.get(name) === `${dtype} ${sha256}`);
      console.log(
        `${key}/${scheme}: ${equal.length} of ${tensors.length} recorded hashes equal, ${tensors.length - known.length} not computed`,
      );
    });
  }
});
