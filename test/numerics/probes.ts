/** Loads the probe module: the WASM twins of src/numerics. The built file is used when it is up to date, else the sources are compiled here. */
import { existsSync, readFileSync, statSync } from "node:fs";
import asc from "assemblyscript/asc";

const BUILT = "build/kernels/probes.wasm";

export interface Probes {
  readonly memory: WebAssembly.Memory;
  elementary(f: number, x: number, y: number, out: number, count: number): void;
  errors(x: number, y: number, out: number, count: number): void;
  sumSign(pairs: number, count: number): number;
  tieSign(acc: number, f1: number, f2: number, b1: number, b2: number, t: number, sy: number): number;
  requantizeSingle(acc: bigint, multiplier: number, r: number): number;
  requantizeDouble(acc: bigint, multiplier: number, r: number): number;
  roundToHalf(x: number): number;
  fma32(a: number, b: number, c: number): number;
}

function isCurrent(): boolean {
  if (!existsSync(BUILT)) return false;
  const sources = ["probes", ...["elementary", "erf", "expansion", "fixedPoint", "half"].map((name) => `numerics/${name}`)];
  return sources.every((source) => statSync(`assembly/${source}.ts`).mtimeMs <= statSync(BUILT).mtimeMs);
}

async function compile(): Promise<Uint8Array> {
  const files = new Map<string, string | Uint8Array>();
  const { error, stderr } = await asc.main(
    ["--config", "assembly/asconfig.probes.json", "--target", "probes", "--outFile", "probes.wasm", "--textFile", "probes.wat"],
    { writeFile: (name, contents) => void files.set(name, contents) },
  );
  const wasm = files.get("probes.wasm");
  if (error || !(wasm instanceof Uint8Array)) throw new Error(`probes do not compile: ${stderr.toString()}`);
  return wasm;
}

export async function loadProbes(): Promise<Probes> {
  const bytes = isCurrent() ? readFileSync(BUILT) : await compile();
  const memory = new WebAssembly.Memory({ initial: 256 });
  const { instance } = await WebAssembly.instantiate(new Uint8Array(bytes), { env: { memory } });
  return { ...(instance.exports as unknown as Omit<Probes, "memory">), memory };
}
