/** What the test files use of Node, in a worker of a browser: files come from the test server by synchronous requests. */

function request(method: string, path: string): XMLHttpRequest {
  const request = new XMLHttpRequest();
  request.open(method, `/plain/${path}`, false);
  if (method === "GET") request.responseType = "arraybuffer";
  request.send();
  return request;
}

export function existsSync(path: string): boolean {
  return request("HEAD", path).status === 200;
}

export function statSync(path: string): { readonly mtimeMs: number; readonly size: number } {
  const answer = request("HEAD", path);
  if (answer.status !== 200) throw new Error(`${path}: HTTP ${answer.status}`);
  return { mtimeMs: Number(answer.getResponseHeader("X-Modified")), size: Number(answer.getResponseHeader("Content-Length")) };
}

export function readFileSync(path: string, coding?: "utf8"): Uint8Array | string {
  const answer = request("GET", path);
  if (answer.status !== 200) throw new Error(`${path}: HTTP ${answer.status}`);
  const bytes = new Uint8Array(answer.response as ArrayBuffer);
  return coding === "utf8" ? new TextDecoder().decode(bytes) : bytes;
}

/** Names in a folder. */
export function readdirSync(path: string): string[] {
  return (JSON.parse(readFileSync(path, "utf8") as string) as [string, boolean][]).map(([name]) => name);
}

export const join = (...parts: string[]): string => parts.join("/");

export function inspect(value: unknown): string {
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} [${Array.from(value as Uint8Array).slice(0, 8)}]`;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (typeof value === "bigint") return `${value}n`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Map || value instanceof Set) return `${value.constructor.name} ${inspect([...value])}`;
  if (Array.isArray(value)) return `[${value.slice(0, 8).map(inspect)}]`;
  return `{${Object.entries(value).map(([key, member]) => `${key}: ${inspect(member)}`)}}`;
}

/** Node's util.format for the words that titles of tests use. */
export function format(template: string, ...values: unknown[]): string {
  let at = 0;
  const filled = template.replace(/%[sdifjoO%]/g, (word) => (word === "%%" ? "%" : at < values.length ? inspect(values[at++]) : word));
  return [filled, ...values.slice(at).map(inspect)].join(" ");
}

const sameList = (a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => isDeepStrictEqual(value, b[i]));

/** Same types, prototypes and members all the way down; NaN equals itself, 0 does not equal −0. */
export function isDeepStrictEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return Object.is(a, b);
  if (a === b) return true;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof DataView || a instanceof ArrayBuffer || a instanceof Date || a instanceof RegExp)
    throw new Error(`isDeepStrictEqual: ${a.constructor.name} is not known here`);
  if (ArrayBuffer.isView(a)) return sameList(a as Uint8Array, b as Uint8Array);
  if (a instanceof Map || a instanceof Set) return sameList([...a], [...(b as typeof a)]); // in the same order: stricter than Node
  if (a instanceof Error && (a.message !== (b as Error).message || a.name !== (b as Error).name)) return false;
  const keys = Object.keys(a);
  const mine = a as Record<string, unknown>;
  const other = b as Record<string, unknown>;
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(other, key) && isDeepStrictEqual(mine[key], other[key]))
  );
}

/** In the place of the compiler: a browser tests what is built. */
export default {
  main(): never {
    throw new Error("the probe kernels are older than their sources: run npm run build:kernels");
  },
};
