/** Stands in for the test runner where it cannot run (another processor under emulation): the same test files, the few words they use.
 *  An unknown word fails to compile or throws; nothing passes by being ignored. */
import { format, inspect, isDeepStrictEqual } from "node:util";

type Body = (...values: never[]) => unknown;
type Table = readonly unknown[];

interface Case {
  readonly title: string;
  readonly body: (context: Context) => unknown;
}

/** What a test is given: a way to say that it does not apply here. */
interface Context {
  readonly skip: (why?: string) => never;
}

const SKIPPED = Symbol("skipped");
const context: Context = {
  skip: () => {
    throw SKIPPED;
  },
};

const cases: Case[] = [];
const path: string[] = [];
const hooks: (() => unknown)[] = [];
let skipping = 0;
let skipped = 0;

function titled(title: string, row: unknown): string {
  const values = Array.isArray(row) ? row : [row];
  const named = title.replace(/\$(\w+)/g, (whole, key: string) => {
    const value = (row as Record<string, unknown> | null)?.[key];
    return value === undefined ? whole : String(value);
  });
  return named.includes("%") ? format(named, ...values.slice(0, (named.match(/%[sdifjoO]/g) ?? []).length)) : named;
}

const spread = (row: unknown): unknown[] => (Array.isArray(row) ? row : [row]);

const waiting: (() => void)[] = [];
let collecting = false;

/** Suites at the top of a file are collected when the whole file is evaluated, nested ones at once. */
function suite(title: string, body: () => void): void {
  if (!collecting) {
    const muted = skipping;
    waiting.push(() => {
      skipping += muted;
      suite(title, body);
      skipping -= muted;
    });
    return;
  }
  path.push(title);
  body();
  path.pop();
}

export const describe = Object.assign(suite, {
  each: (table: Table) => (title: string, body: Body) => {
    for (const row of table) suite(titled(title, row), () => body(...(spread(row) as never[])));
  },
  skipIf: (condition: unknown) => (title: string, body: () => void) => {
    if (condition) skipping++;
    suite(title, body);
    if (condition) skipping--;
  },
});

function single(title: string, body: Body): void {
  if (skipping > 0) skipped++;
  else cases.push({ title: [...path, title].join(" > "), body: body as Case["body"] });
}

export const test = Object.assign(single, {
  each: (table: Table) => (title: string, body: Body) => {
    for (const row of table) single(titled(title, row), () => body(...(spread(row) as never[])));
  },
  skipIf: (condition: unknown) => (title: string, body: Body) => {
    if (condition) skipped++;
    else single(title, body);
  },
  skip: () => {
    skipped++;
  },
});
export const it = test;

export function beforeAll(hook: () => unknown): void {
  hooks.push(hook);
}

const PARTIAL = Symbol("objectContaining");

function contains(found: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null || ArrayBuffer.isView(wanted)) return isDeepStrictEqual(found, wanted);
  if (typeof found !== "object" || found === null) return false;
  return Object.entries(wanted).every(([key, value]) => contains((found as Record<string, unknown>)[key], value));
}

function equal(found: unknown, wanted: unknown): boolean {
  if (typeof wanted === "object" && wanted !== null && PARTIAL in wanted)
    return contains(found, (wanted as { [PARTIAL]: unknown })[PARTIAL]);
  return isDeepStrictEqual(found, wanted);
}

function throwsAs(found: unknown, wanted: unknown): boolean {
  try {
    (found as () => unknown)();
    return false;
  } catch (error) {
    const { message } = error as Error;
    if (wanted === undefined) return true;
    if (wanted instanceof RegExp) return wanted.test(message);
    if (typeof wanted === "string") return message.includes(wanted);
    if (typeof wanted === "function") return error instanceof wanted;
    return equal(error, wanted);
  }
}

type Judge = (found: never, wanted: never, extra: never) => boolean;
const MATCHERS = {
  toBe: (found: unknown, wanted: unknown) => Object.is(found, wanted),
  toEqual: equal,
  toStrictEqual: equal,
  toMatchObject: contains,
  toBeNull: (found: unknown) => found === null,
  toBeDefined: (found: unknown) => found !== undefined,
  toBeUndefined: (found: unknown) => found === undefined,
  toBeNaN: (found: unknown) => Number.isNaN(found),
  toBeGreaterThan: (found: number, wanted: number) => found > wanted,
  toBeGreaterThanOrEqual: (found: number, wanted: number) => found >= wanted,
  toBeLessThan: (found: number, wanted: number) => found < wanted,
  toBeLessThanOrEqual: (found: number, wanted: number) => found <= wanted,
  toBeCloseTo: (found: number, wanted: number, digits = 2) => Math.abs(found - wanted) < 10 ** -digits / 2,
  toBeInstanceOf: (found: unknown, wanted: new (...values: never[]) => unknown) => found instanceof wanted,
  toContain: (found: string | readonly unknown[], wanted: unknown) => found.includes(wanted as string),
  toMatch: (found: string, wanted: RegExp | string) => (typeof wanted === "string" ? found.includes(wanted) : wanted.test(found)),
  toHaveLength: (found: { readonly length: number }, wanted: number) => found.length === wanted,
  toSatisfy: (found: unknown, wanted: (value: unknown) => unknown) => Boolean(wanted(found)),
  toThrow: throwsAs,
} satisfies Record<string, Judge | ((...values: never[]) => boolean)>;

type Assertions = { readonly [name in keyof typeof MATCHERS]: (wanted?: unknown, extra?: unknown) => void } & { readonly not: Assertions };

function assertions(found: unknown, message: string | undefined, negated: boolean): Assertions {
  return new Proxy({} as Assertions, {
    get(_, name: string) {
      if (name === "not") return assertions(found, message, !negated);
      const judge = MATCHERS[name as keyof typeof MATCHERS] as ((...values: unknown[]) => boolean) | undefined;
      if (!judge) throw new Error(`expect(…).${name} is not known here`);
      return (wanted?: unknown, extra?: unknown) => {
        if (judge(found, wanted, extra) !== negated) return;
        const short = (value: unknown): string => inspect(value, { depth: 2, maxArrayLength: 8, breakLength: 200 }).slice(0, 300);
        throw new Error(`${message ? `${message}: ` : ""}found ${short(found)}, expected ${negated ? "not " : ""}${name} ${short(wanted)}`);
      };
    },
  });
}

export const expect = Object.assign((found: unknown, message?: string) => assertions(found, message, false), {
  fail: (message: string): never => {
    throw new Error(message);
  },
  objectContaining: (wanted: unknown) => ({ [PARTIAL]: wanted }),
});

export interface Outcome {
  readonly passed: number;
  readonly skipped: number;
  readonly failures: readonly { readonly title: string; readonly message: string }[];
}

/** Runs every registered case in order. */
export async function runAll(): Promise<Outcome> {
  const failures: { title: string; message: string }[] = [];
  let passed = 0;
  collecting = true;
  for (const collect of waiting) collect();
  for (const hook of hooks) await hook();
  for (const { title, body } of cases) {
    try {
      await body(context);
      passed++;
    } catch (error) {
      if (error === SKIPPED) skipped++;
      else failures.push({ title, message: error instanceof Error ? error.message : String(error) });
    }
    await new Promise((resolve) => setTimeout(resolve, 0)); // timers that hold a session's memory end
  }
  return { passed, skipped, failures };
}
