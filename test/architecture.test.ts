/** The house rules that a machine can check: who may import whom, file sizes, forbidden words. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");

/** A file may import from its own row and from rows above (smaller numbers). Longest prefix wins. */
const ROWS: readonly (readonly [prefix: string, row: number])[] = [
  ["src/errors.ts", 0],
  ["src/progress.ts", 0],
  ["src/tensor/", 0],
  ["src/numerics/", 0],
  ["src/graph/", 1],
  ["src/encodings/", 1],
  ["src/kernels/", 1],
  ["src/io/", 1],
  ["src/ops/", 2],
  ["src/plan/", 2],
  ["src/forms/", 3],
  ["src/onnx/", 3],
  ["src/passes/", 4],
  ["src/sim/", 4],
  ["src/reference/", 5],
  ["src/everything.ts", 4],
  ["src/full.ts", 4],
  ["src/qdq.ts", 4],
  ["src/model.ts", 5],
  ["src/runtime/", 2],
  ["src/bex/", 3],
  ["src/runtimeEntry.ts", 4],
  ["src/session/", 6],
  ["src/compileModel.ts", 7],
  ["src/verify/", 7],
  ["src/compare/", 1],
  ["src/version.ts", 0],
  ["src/doctor/", 7],
  ["src/doctor.ts", 7],
  ["src/api.ts", 8],
  ["src/executors.ts", 8],
  ["src/inspectReport.ts", 8],
  ["src/inspect.ts", 8],
  ["src/worker/", 9],
  ["src/worker.ts", 9],
  ["src/sessionWorker.ts", 9],
  ["src/index.ts", 9],
  ["src/inline.ts", 9],
  ["src/verify.ts", 9],
  ["src/embedded.d.ts", 9],
  ["src/samples/", 9],
  ["src/report/", 9],
  ["src/cli/table.ts", 8],
  ["src/cli/", 10],
  ["web/", 10],
  ["scripts/", 0],
  ["package.json", 0],
];

/** Type-level knots within the two lowest rows that are one concept: an encoding is part of a tensor, storage of a plan. */
const ALLOWED = new Set([
  "src/tensor/tensor.ts → src/encodings/encoding.ts",
  "src/tensor/image.ts → src/encodings/encoding.ts",
  "src/tensor/numbers.ts → src/encodings/encoding.ts",
  "src/numerics/affine.ts → src/encodings/encoding.ts",
  "src/io/folder.ts → src/onnx/externalData.ts",
  "src/io/modelFolder.ts → src/onnx/externalData.ts",
  "src/io/modelFolder.ts → src/onnx/externalPath.ts",
]);

function files(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function rowOf(file: string): number {
  const row = ROWS.filter(([prefix]) => file.startsWith(prefix)).sort((a, b) => b[0].length - a[0].length)[0];
  if (!row) throw new Error(`${file} is in no row of the table`);
  return row[1];
}

const sources = [...files("src"), ...files("web")];

describe("architecture", () => {
  it("every source file imports only from its own row and from rows above", () => {
    const wrong: string[] = [];
    for (const file of sources) {
      for (const [, target] of readFileSync(join(root, file), "utf8").matchAll(/from "(\.[^"]+)"/g)) {
        const imported = relative(root, resolve(root, dirname(file), target!));
        if (rowOf(imported) > rowOf(file) && !ALLOWED.has(`${file} → ${imported}`)) wrong.push(`${file} → ${imported}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("bitexact/runtime reaches no code of graphs' passes, operators, forms, readers of ONNX or sessions that plan", () => {
    const reached = new Set<string>();
    const open = ["src/runtimeEntry.ts"];
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      if (reached.has(file)) continue;
      reached.add(file);
      const text = readFileSync(join(root, file), "utf8");
      const imports = [
        ...text.matchAll(/^(?:import|export) (?!type )[^;]*? from "(\.[^"]+)"/gm),
        ...text.matchAll(/\bimport\("(\.[^"]+)"\)/g),
      ];
      for (const [statement, target] of imports)
        if (!/^(?:import|export) \{(?: type [\w ]+,?)+ \} from/.test(statement))
          open.push(relative(root, resolve(root, dirname(file), target!)));
    }
    expect(reached).toContain("src/bex/load.ts");
    const allowed =
      /^src\/(bex|encodings\/encoding|errors|graph\/graph|io\/source|kernels|numerics|plan|progress|runtime|runtimeEntry|tensor)/;
    expect([...reached].filter((file) => !allowed.test(file))).toEqual([]);
    expect([...reached].filter((file) => /compile|write|prove|builder|forms|passes|onnx|session\/|ops\//.test(file))).toEqual([]);
  });

  it("no source file is longer than 400 lines", () => {
    const long = [...sources, ...files("assembly")].filter((file) => readFileSync(join(root, file), "utf8").split("\n").length > 400);
    expect(long).toEqual([]);
  });

  it("passes, plan, runtime and verify never compare operator names", () => {
    const naming = sources
      .filter((file) => /^src\/(passes|plan|runtime|session|verify|sim|reference)\//.test(file))
      .filter((file) => /\.op\s*[!=]==/.test(readFileSync(join(root, file), "utf8")));
    expect(naming).toEqual([]);
  });

  it("no package for protobuf or for loading kernels gets into the library", () => {
    const users = (name: string) =>
      sources.filter((file) => new RegExp(`(from|import|import\\() ?"${name}`).test(readFileSync(join(root, file), "utf8")));
    expect([...users("onnx-proto"), ...users("protobufjs"), ...users("long"), ...users("@assemblyscript/loader")]).toEqual([]);
  });

  it("engine-dependent elementary functions of Math are not used in numerics, forms, reference and sim", () => {
    const users = sources
      .filter((file) => /^src\/(numerics|forms|reference|sim|ops)\//.test(file) && file !== "src/forms/dot/headroom.ts") // there: bits of headroom, for reports
      .filter((file) =>
        /Math\.(exp|log|log2|log10|pow|tanh|sin|cos|cbrt|expm1|log1p|hypot)\(/.test(readFileSync(join(root, file), "utf8")),
      );
    expect(users).toEqual([]);
  });
});
