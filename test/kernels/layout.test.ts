/** The ABI on both sides: args classes against field lists, epilogue offsets, and what the built modules contain. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { KERNELS } from "../../src/kernels/abi.ts";
import { HEADER, HEADER_BYTES, PANEL, SLOPE_SET } from "../../src/kernels/epilogue.ts";

const root = new URL("../../", import.meta.url);

function sources(folder: URL): string[] {
  return readdirSync(folder).flatMap((name) => {
    const at = new URL(name, folder);
    return statSync(at).isDirectory() ? sources(new URL(`${name}/`, folder)) : [readFileSync(at, "utf8")];
  });
}

const files = sources(new URL("assembly/kernels/", root));

/** Fields of every unmanaged class, by class name. */
const classes = new Map<string, string[]>();
for (const text of files)
  for (const [, name, body] of text.matchAll(/@unmanaged\s+(?:export\s+)?class\s+(\w+)\s*\{([^}]*)\}/g))
    classes.set(
      name!,
      [...body!.matchAll(/^\s*(\w+)\s*:\s*(usize|i32|u32|f32|isize)\s*;/gm)].map((match) => match[1]!),
    );

/** Body of the top-level function `name` in `text`. */
function bodyOf(text: string, name: string): string {
  const match = new RegExp(`function ${name}(?:<[\\w, ]+>)?\\(`).exec(text);
  return match ? text.slice(match.index, text.indexOf("\n}", match.index)) : "";
}

/** The args class that the exported kernel `name` reads: named in its body, or in the function it hands its args to. */
function argsClassOf(name: string): string | undefined {
  const text = files.find((file) => new RegExp(`export function ${name}\\(`).test(file))!;
  const body = bodyOf(text, name);
  const callee = /(\w+)(?:<[\w, ]+>)?\(args\b/.exec(body.slice(body.indexOf("{")))?.[1] ?? "";
  for (const candidate of `${body}${bodyOf(text, callee)}`.matchAll(/\b\w+<(\w+)>\(args\b/g))
    if (classes.has(candidate[1]!)) return candidate[1];
  return undefined;
}

describe("kernel ABI", () => {
  it.each(Object.keys(KERNELS))("%s reads its args in the order of the host's field list", (name) => {
    expect(
      files.some((file) => new RegExp(`export function ${name}\\(`).test(file)),
      `no exported function ${name}`,
    ).toBe(true);
    const args = argsClassOf(name);
    expect(args, `${name} reads no args class`).toBeDefined();
    expect(classes.get(args!)).toEqual(KERNELS[name]);
  });

  it("epilogue offsets are the same on both sides", () => {
    const text = readFileSync(new URL("assembly/numerics/epilogue.ts", root), "utf8");
    const constants = new Map(
      [...text.matchAll(/export const (\w+): (?:usize|i32) = (\d+);/g)].map(([, name, value]) => [name!, Number(value)]),
    );
    const spelled = (name: string): string => name.replace(/[A-Z0-9]+/g, (part) => (/^\d/.test(part) ? part : `_${part}`)).toUpperCase();
    const shared = { ...HEADER, ...PANEL };
    const found: string[] = [];
    for (const [name, offset] of Object.entries(shared)) {
      const there = constants.get(spelled(name));
      expect(there, name).toBe(offset);
      found.push(name);
    }
    expect(found).toEqual(Object.keys(shared));
    expect(constants.get("SLOPE_SET")).toBe(SLOPE_SET);
    expect(constants.get("HEADER_BYTES")).toBe(HEADER_BYTES);
  });
});

const builtText = (name: string): string => readFileSync(new URL(`build/kernels/${name}.wat`, root), "utf8");
const exportsOf = (wat: string): string[] => [...wat.matchAll(/\(export "(\w+)" \((func|global)/g)].map((match) => match[1]!);

describe.each(["simd", "usdot", "sdot", "rest-signed", "rest-unsigned", "float"])("built module %s", (variant) => {
  const wat = builtText(variant);

  it("imports only the memory and has no data, no start and no mutable global", () => {
    expect([...wat.matchAll(/\(import "[^"]*" "[^"]*"/g)].map(([text]) => text)).toEqual(['(import "env" "memory"']);
    expect(wat).not.toMatch(/\n \((data|start|table|elem)\b/);
    expect(wat).not.toMatch(/\(global [^\n]*\(mut /);
  });
});

describe.each(["simd", "usdot", "sdot"])("built module %s", (variant) => {
  const wat = builtText(variant);

  it("exports, with the modules loaded on demand, exactly the kernels of the ABI and the geometry", () => {
    const rest = variant === "usdot" ? "rest-unsigned" : "rest-signed";
    const exported = [...exportsOf(wat), ...exportsOf(builtText(rest)), ...exportsOf(builtText("float"))];
    expect(exported.sort()).toEqual([...Object.keys(KERNELS), "MR", "NR", "KR", "Q8_SIGNED", "WEIGHT_MIN"].sort());
  });

  it("the tiles of igemm_q8 have one loop each, with two dots per row and chain, without a call", () => {
    const dot = variant === "simd" ? "i32x4.dot_i16x8_s" : "i32x4.relaxed_dot_i8x16_i7x16_add_s";
    const loops = innerLoops(wat, "$assembly/kernels/igemm_q8/").filter((loop) => loop.includes(dot));
    const counts = loops.map((loop) => loop.split(dot).length - 1).sort((a, b) => b - a);
    expect(counts).toEqual(variant === "simd" ? SIMD_LOOPS : RELAXED_LOOPS);
    for (const loop of loops) expect(loop).not.toMatch(/\bcall\b/);
  });

  it("the stepped tile of dwconv_q8 has one loop of two dots per output for each size, without a call", () => {
    const dot = variant === "simd" ? "i32x4.dot_i16x8_s" : "i32x4.relaxed_dot_i8x16_i7x16_add_s";
    const dots = variant === "simd" ? [8, 6, 4, 2] : [12, 6, 4, 2]; // of tiles of MR, 3, 2 and 1 outputs
    const loops = innerLoops(wat, "/steppedOutputs ");
    expect(loops.map((loop) => loop.split(dot).length - 1).sort((a, b) => b - a)).toEqual(dots);
    for (const loop of loops) expect(loop).not.toMatch(/\bcall\b/);
  });
});

/** Dots per loop. Tiles on widened panels of 4 … 1 rows and on int8 panels of 4 … 1; int4 rows: 16 and a rest of 4, 8 with block scales; sums of rows. */
const SIMD_LOOPS = [16, 8, 8, 8, 8, 6, 6, 4, 4, 4, 2, 2, 1, 1];
/** 6 rows, and once with the proven epilogue behind; 5, 4 rows; 3 and 2 in two chains; 1 in four chains and its last steps, in place, copied and int4; 4 with block scales; sums of rows. */
const RELAXED_LOOPS = [12, 12, 12, 10, 8, 8, 8, 8, 8, 4, 2, 2, 2, 1, 1];

/** Innermost loops of the functions whose name has `part` in it, as text: from a `loop` line to the `end` of the same indentation. */
function innerLoops(wat: string, part: string): string[] {
  const functions = wat.split(/\n(?= \(func )/).filter((text) => text.slice(0, text.indexOf("(param")).includes(part));
  expect(functions.length, `functions named ${part}`).toBeGreaterThan(0);
  return functions.flatMap((text) => {
    const lines = text.split("\n");
    const loops = lines.flatMap((line, i) => {
      const indent = /^( *)loop\b/.exec(line)?.[1];
      if (indent === undefined) return [];
      const length = lines.slice(i).indexOf(`${indent}end`);
      return [lines.slice(i, i + length).join("\n")];
    });
    return loops.filter((loop) => !/\n *loop\b/.test(loop));
  });
}
