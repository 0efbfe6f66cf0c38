/** RNN, GRU and LSTM: the runtime equals the reference in every bit, in float32 and between encoded values, in every form the operators take. */
import { describe, expect, it } from "vitest";
import { runReference, Session } from "../../src/api.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { Tensor } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { type CellCase, type CellOptions, randomCell } from "./randomCell.ts";

const TIER = process.env.BITEXACT_TIER;
const VALUES = TIER === "fast" ? 20_000 : TIER === "soak" ? 3_000_000 : 200_000;
const CASES = TIER === "fast" ? 25 : TIER === "soak" ? 3000 : 200;

function tensorsOf({ feeds }: CellCase): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { type, dims, data }]) => [
      name,
      new Tensor(type, type === "int32" ? Int32Array.from(data) : Float32Array.from(data), dims),
    ]),
  );
}

async function compare(cell: CellCase): Promise<void> {
  const model = modelOf(cell.graph);
  const feeds = tensorsOf(cell);
  const expected = await runReference(model, feeds, { quantized: true });
  const session = await Session.create(model);
  const found = session.runSync(feeds, { quantized: true });
  for (const name of cell.graph.outputs) expect(found[name]!.data, `${name} of ${cell.title}`).toEqual(expected[name]!.data);
  session.dispose();
}

const KINDS: readonly (readonly [string, CellOptions])[] = [
  ["in float32", {}],
  ["in float32 with computed weights and lengths", { computed: true, lengths: true }],
  ["between encoded values", { encoded: true }],
];

describe.each(KINDS)("recurrent operators %s", (_title, options) => {
  it(`runtime and reference agree in every bit on ${CASES} random cells`, async () => {
    for (let seed = 1; seed <= CASES; seed++) await compare(randomCell(seed, options));
  });
});

describe("gate functions in lanes", () => {
  const special = [
    0, -0, 1e-45, -1e-45, 1e-30, 1e-150, 0.2499999, 0.25, -0.25, 0.2500001, 7, -7, 21.9, 22, 22.1, -40, 88.7, 104, -104, 3e38, -3e38,
  ];
  const random = createPcg32(2024, 3);
  const scattered = Array.from({ length: VALUES }, () => random.uniform(-1, 1) * 2 ** random.uniform(-30, 7));
  const grid = Array.from({ length: 6000 }, (_, i) => (i - 3000) / 301);
  const values = Float32Array.from([...special, Infinity, -Infinity, Number.NaN, ...grid, ...scattered]);

  it.each(["Tanh", "Sigmoid"])("%s gives the reference's bits on special values, a grid and random ones", async (name) => {
    const builder = new GraphBuilder("lanes", 14);
    builder.input("x", [1, values.length, 1]);
    builder.constant("w", [1], [1, 1, 1]);
    builder.constant("r", [0], [1, 1, 1]);
    builder.node("RNN", ["x", "w", "r"], { id: "cell", outputs: ["y"], attrs: { activations: [name], hidden_size: 1 } });
    const model = modelOf(builder.output("y").build());
    const feeds = { x: new Tensor("float32", values, [1, values.length, 1]) };
    const [expected, session] = [await runReference(model, feeds, {}), await Session.create(model)];
    expect(session.runSync(feeds).y!.data).toEqual(expected.y!.data);
  });
});
