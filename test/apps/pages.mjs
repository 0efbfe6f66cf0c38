// Apps in browsers: the package without a bundler and through each bundler, under every set of headers.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { browsers, visit } from "../browsers/browsers.mjs";
import { expectPart } from "./matrix.mjs";
import { run, toolMissing } from "./workshop.mjs";

const SECONDS = 60;

/** Column → page and headers. */
const RIGHT = [
  { column: "plain", mode: "plain", page: "index.html" },
  { column: "isolated", mode: "isolated", page: "index.html", isolated: true },
  { column: "strict CSP", mode: "csp", page: "index.html" },
  { column: "wrong MIME", mode: "mime", page: "index.html" },
  { column: "inline", mode: "plain", page: "inline.html" },
  { column: "inline, strict CSP", mode: "csp", page: "inline.html" },
  { column: "worker", mode: "plain", page: "worker.html" },
  { column: "worker, strict CSP", mode: "csp", page: "worker.html" },
  { column: "2 threads", mode: "isolated", page: "threads.html", isolated: true, threads: 2 },
  { column: "compiled", mode: "plain", page: "compiled.html" },
  { column: "compiled, strict CSP", mode: "csp", page: "compiled.html" },
];

/** The example of the documentation prints ten numbers. */
const EXAMPLE = { column: "examples", mode: "plain", page: "example.html", answers: ([output]) => output?.length === 10 };

/** Headers under which it cannot work: the error's code, and what it must advise. */
const WRONG = [
  { column: "CSP forbids WASM", mode: "no-wasm", page: "index.html", code: "kernels/csp", advice: "'wasm-unsafe-eval'" },
  { column: "kernels missing", mode: "missing", page: "index.html", code: "kernels/not-found", advice: "bitexact/inline" },
  { column: "page for kernels", mode: "fallback", page: "index.html", code: "kernels/not-found", advice: "bitexact/inline" },
];

function judge({ isolated, code, advice, answers, threads }, { result, complaints }, expected) {
  const { error, answer } = result;
  if (code) {
    if (error?.code !== code || !error.message.includes(advice))
      throw new Error(`expected ${code}, found ${JSON.stringify(error ?? answer)}`);
    return;
  }
  if (error) throw new Error(`${error.name} ${error.code ?? ""}: ${error.message}`);
  if (complaints.length > 0) throw new Error(`the console says: ${complaints.join(" | ")}`);
  if (isolated !== undefined && result.isolated !== isolated) throw new Error(`crossOriginIsolated is ${result.isolated}`);
  if (!answers) expectPart(answer, expected, threads);
  else if (!answers(answer)) throw new Error(`found ${JSON.stringify(answer)}`);
}

let visits = 0;

function pageCheck(row, app, wanted, context) {
  const { browser, server, expected } = context;
  return {
    row,
    column: wanted.column,
    missing: context.missing,
    run: async () => {
      const id = `${app}-${wanted.mode}-${visits++}`;
      const url = `${server.origin}/${wanted.mode}/${app}/${wanted.page}?id=${id}`;
      judge(wanted, await visit(await browser(), server, url, id, SECONDS), expected());
    },
  };
}

function built(name, row, folder, context) {
  const missing = name === "vite" ? null : toolMissing(name);
  const build = { row, column: "builds", missing, run: () => run(process.execPath, ["build.mjs"], join(folder, name)) };
  const app = name === "vite" ? "vite-dist" : name;
  const pages = name === "vite" ? [...RIGHT, EXAMPLE] : RIGHT;
  return [build, ...pages.map((wanted) => pageCheck(row, app, wanted, { ...context, missing: missing ?? context.missing }))];
}

/** Vite's development server, which serves modules one by one. */
function development(folder, context) {
  const { browser, server, expected, missing } = context;
  const check = async () => {
    const child = spawn(process.execPath, ["dev.mjs", server.origin], { cwd: join(folder, "vite"), stdio: ["ignore", "pipe", "inherit"] });
    try {
      const [line] = await new Promise((resolve, reject) => {
        child.stdout.once("data", (part) => resolve(part.toString().split("\n")));
        child.once("exit", () => reject(new Error("the development server ended")));
      });
      const id = `vite-dev-${visits++}`;
      judge({}, await visit(await browser(), server, `${line}index.html?id=${id}`, id, SECONDS), expected());
    } finally {
      child.kill();
    }
  };
  return { row: "Vite, development server", column: "plain", missing, run: check };
}

/** Returns { checks, close() }. */
export function pageChecks({ folder }, server, expected) {
  const started = new Map();
  const contexts = browsers().map((kind) => {
    const browser = () => {
      if (!started.has(kind.name)) started.set(kind.name, Promise.resolve(kind.start()));
      return started.get(kind.name);
    };
    return { name: kind.name, row: kind.version ?? kind.name, missing: kind.missing, browser, server, expected };
  });
  const native = contexts.flatMap((context) => [...RIGHT, ...WRONG].map((wanted) => pageCheck(context.row, "native", wanted, context)));
  const chromium = contexts[0];
  const checks = [
    ...native,
    ...built("vite", "Vite", folder, chromium),
    development(folder, chromium),
    ...built("webpack", "webpack", folder, chromium),
    ...built("esbuild", "esbuild", folder, chromium),
    ...built("rollup", "rollup", folder, chromium),
  ];
  const close = async () => {
    for (const browser of started.values()) await (await browser).close();
  };
  return { checks, close };
}
