/** Comparing two results: what counts as worse, better, changed, appeared and vanished, for each kind. */
import { describe, expect, test } from "vitest";
import { compareResults } from "../../src/compare/compare.ts";
import { parseResult, type Result } from "../../src/compare/schema.ts";

type Json = Record<string, unknown>;

const read = (json: unknown): Result => parseResult(JSON.stringify(json), "a.json");
const compare = (before: unknown, after: unknown, tolerance: number | null = null) => compareResults(read(before), read(after), tolerance);

const local = (over: Json = {}): Json => ({ elements: 100, equal: 100, explained: 0, undecided: 0, unexplained: 0, maxLsb: 0, ...over });
const endToEnd = (over: Json = {}): Json => ({ elements: 100, equal: 100, differing: 0, maxLsb: 0, sqnrDb: null, ...over });
const layer = (tensor: string, over: Json = {}): Json => ({ tensor, op: "Conv", nodes: [], local: local(), endToEnd: endToEnd(), ...over });
const verified = (layers: Json[], over: Json = {}): Json => ({
  schema: "bitexact-verify/1",
  target: "exact",
  variant: "simd",
  against: "sim-f64",
  samples: 1,
  verdict: "exact",
  coverage: { recorded: 0, matched: 0, unmatched: [] },
  layers,
  totals: { local: local(), endToEnd: endToEnd() },
  ...over,
});

const row = (suite: string, name: string, medianMs: number, minMs: number, over: Json = {}): Json => ({
  ...{ suite, name, runtime: "bitexact", variant: "simd", target: "exact", engine: "Node", threads: 1, medianMs, minMs, gops: null },
  ...over,
});
const timed = (rows: Json[], over: Json = {}): Json => ({ schema: "bitexact-bench/1", cpu: "one", runs: 50, macs: 7, rows, ...over });

const tensor = (name: string, over: Json = {}): Json => ({
  ...{ name, type: "uint8", dims: [1, 2], scale: 0.5, zeroPoint: 3, min: 0, max: 9, sha256: "a".repeat(64) },
  ...over,
});
const ran = (tensors: Json[], over: Json = {}): Json => ({
  ...{ schema: "bitexact-run/1", target: "exact", variant: "simd", samples: 1, millisecondsPerSample: 10, tensors },
  ...over,
});

describe("verify results", () => {
  test("equal results: nothing changed", () => {
    const report = compare(verified([layer("a"), layer("b")]), verified([layer("a"), layer("b")]));
    expect(report).toEqual({
      ...{ schema: "bitexact-compare/1", kind: "verify", regression: false, tolerance: null, settings: [], unchanged: 2 },
      ...{ worse: [], changed: [], better: [], appeared: [], vanished: [] },
    });
  });

  test("the verdict comes first, then layers by gravity and size of the step", () => {
    const layers = ["explained", "few", "many", "undecided", "far"].map((name) => layer(name));
    const with_ = (name: string, counts: Json): Json => layer(name, { local: local(counts) });
    const after = verified(
      [
        with_("explained", { equal: 10, explained: 90, maxLsb: 1 }),
        with_("few", { equal: 99, unexplained: 1, maxLsb: 1 }),
        with_("many", { equal: 95, unexplained: 5, maxLsb: 1 }),
        with_("undecided", { equal: 1, undecided: 99, maxLsb: 1 }),
        with_("far", { maxLsb: 3 }),
      ],
      { verdict: "mismatch" },
    );
    const report = compare(verified(layers), after);
    expect(report.worse.map(({ subject }) => subject)).toEqual(["model", "many", "few", "undecided", "explained", "far"]);
    expect(report.worse[0]?.differences).toEqual([{ what: "verdict", before: "exact", after: "mismatch" }]);
    expect(report.worse[1]?.differences).toEqual([
      { what: "unexplained", before: 0, after: 5 },
      { what: "maxLsb", before: 0, after: 1 },
    ]);
    expect(report.regression).toBe(true);
    const back = compare(after, verified(layers));
    expect(back.regression).toBe(false);
    expect(back.better).toHaveLength(6);
    expect(back.worse).toEqual([]);
  });

  test("a graver figure decides: fewer unexplained elements are better, even with more explained ones", () => {
    const before = verified([layer("a", { local: local({ unexplained: 2, explained: 0 }) })]);
    const after = verified([layer("a", { local: local({ unexplained: 1, explained: 50 }) })]);
    expect(compare(before, after)).toMatchObject({ regression: false, worse: [], better: [{ subject: "a" }] });
  });

  test("signal-to-noise: a fall is worse, infinity is most, and an engine's last digits are nothing", () => {
    const at = (sqnrDb: number | null): Json => verified([layer("a", { endToEnd: endToEnd({ sqnrDb }) })]);
    expect(compare(at(40), at(39)).worse).toHaveLength(1);
    expect(compare(at(40), at(null)).better).toHaveLength(1);
    expect(compare(at(null), at(90)).worse).toHaveLength(1);
    expect(compare(at(40), at(40.0000001)).unchanged).toBe(1);
  });

  test("a layer that is gone is a regression; a new one only when it is not right", () => {
    expect(compare(verified([layer("a"), layer("b")]), verified([layer("a")]))).toMatchObject({
      ...{ regression: true, worse: [], vanished: [{ scope: "layer", subject: "b" }] },
    });
    expect(compare(verified([layer("a")]), verified([layer("a"), layer("b")]))).toMatchObject({
      ...{ regression: false, appeared: [{ scope: "layer", subject: "b" }] },
    });
    const wrong = layer("b", { local: local({ unexplained: 4 }) });
    expect(compare(verified([layer("a")]), verified([layer("a"), wrong]))).toMatchObject({
      ...{ regression: true, worse: [{ subject: "b", differences: [{ what: "unexplained", before: null, after: 4 }] }] },
    });
  });

  test("a mode that only one result has is a setting, not a loss; a layer left out of a mode both have is one", () => {
    const single = verified([layer("a", { endToEnd: null })], { totals: { local: local(), endToEnd: null } });
    const report = compare(verified([layer("a")]), single);
    expect(report).toMatchObject({ regression: false, unchanged: 1, settings: [{ what: "mode", before: "both", after: "local" }] });
    expect(compare(verified([layer("a")]), verified([layer("a", { local: null })]))).toMatchObject({ worse: [{ subject: "a" }] });
    expect(compare(verified([layer("a", { local: null })]), verified([layer("a")]))).toMatchObject({
      regression: false,
      better: [{ subject: "a" }],
    });
  });

  test("fewer recorded values that match are worse; other sizes and operators only changed; other settings are told", () => {
    const covered = (matched: number): Json => verified([layer("a")], { coverage: { recorded: 9, matched } });
    expect(compare(covered(9), covered(7)).worse).toEqual([
      { scope: "model", subject: "model", differences: [{ what: "matched", before: 9, after: 7 }] },
    ]);
    const other = verified([layer("a", { op: "Conv+Relu", local: local({ elements: 50, equal: 50 }) })], {
      variant: "usdot",
      target: "ort",
    });
    expect(compare(verified([layer("a")]), other)).toMatchObject({
      regression: false,
      changed: [{ subject: "a", differences: [{ what: "op" }, { what: "elements", before: 100, after: 50 }] }],
      settings: [{ what: "target" }, { what: "variant", before: "simd", after: "usdot" }],
    });
  });
});

describe("bench results", () => {
  const rows = (conv: number, least = conv): Json[] => [
    row("model", "m", 10, 10),
    row("layer", "conv", conv, least),
    row("layer", "tiny", 0.01, 0.01),
  ];

  test("slower needs both the median and the least time beyond the tolerance", () => {
    expect(compare(timed(rows(5)), timed(rows(5.2))).regression).toBe(false);
    expect(compare(timed(rows(5)), timed(rows(6, 5))).regression).toBe(false);
    expect(compare(timed(rows(5)), timed(rows(6)), 0.25).regression).toBe(false);
    const report = compare(timed(rows(5)), timed(rows(6)));
    expect(report).toMatchObject({ regression: true, tolerance: 0.05, worse: [{ scope: "layer", subject: "conv" }] });
    expect(report.worse[0]?.differences).toEqual([
      { what: "medianMs", before: 5, after: 6 },
      { what: "minMs", before: 5, after: 6 },
    ]);
    expect(compare(timed(rows(6)), timed(rows(5)))).toMatchObject({ regression: false, better: [{ subject: "conv" }] });
  });

  test("the largest factor comes first; a layer that takes nothing of the run is left alone", () => {
    const after = [row("model", "m", 12, 12), row("layer", "conv", 10, 10), row("layer", "tiny", 0.09, 0.09)];
    expect(compare(timed(rows(5)), timed(after)).worse.map(({ subject }) => subject)).toEqual(["conv", "m"]);
  });

  test("rows that come or go are told and are no regression; neither are other runtimes, missing times or other MACs", () => {
    const after = [row("model", "m", 10, 10), row("kernel", "k", 1, 1)];
    expect(compare(timed(rows(5)), timed(after))).toMatchObject({ regression: false, appeared: [{ scope: "kernel" }], vanished: [{}, {}] });
    const peers = (ms: number): Json =>
      timed([row("models", "m", ms, ms, { runtime: "ort-web" }), row("size", "s", 1, 1, { medianMs: null })]);
    expect(compare(peers(1), peers(9))).toMatchObject({ regression: false, unchanged: 0 });
    expect(compare(timed(rows(5)), timed(rows(5), { macs: 8, cpu: "other" }))).toMatchObject({
      ...{ regression: false, changed: [{ differences: [{ what: "macs", before: 7, after: 8 }] }], settings: [{ what: "cpu" }] },
    });
  });

  test("rows of one name are told apart by variant, target and threads; a single row keeps its name when the variant changes", () => {
    const both = (simd: number): Json => timed([row("models", "m", simd, simd), row("models", "m", 1, 1, { variant: "usdot" })]);
    expect(compare(both(3), both(4))).toMatchObject({ worse: [{ subject: "m" }], unchanged: 1 });
    const one = (variant: string, ms: number): Json => timed([row("models", "m", ms, ms, { variant })]);
    expect(compare(one("simd", 3), one("usdot", 1))).toMatchObject({
      better: [{ subject: "m" }],
      settings: [{ what: "variant" }],
      vanished: [],
    });
  });
});

describe("run results", () => {
  test("any difference of a tensor is a regression, and so is one that is gone", () => {
    expect(compare(ran([tensor("a")]), ran([tensor("a")]))).toMatchObject({ regression: false, unchanged: 1 });
    const other = tensor("a", { sha256: "b".repeat(64), max: 10 });
    expect(compare(ran([tensor("a"), tensor("b")]), ran([other, tensor("b")]))).toMatchObject({
      ...{
        regression: true,
        unchanged: 1,
        worse: [{ scope: "tensor", subject: "a", differences: [{ what: "sha256" }, { what: "max", before: 9, after: 10 }] }],
      },
    });
    expect(compare(ran([tensor("a")]), ran([tensor("a", { dims: [2, 1] })])).worse[0]?.differences).toEqual([
      { what: "dims", before: "1×2", after: "2×1" },
    ]);
    expect(compare(ran([tensor("a")]), ran([]))).toMatchObject({ regression: true, vanished: [{ subject: "a" }] });
    expect(compare(ran([]), ran([tensor("a")]))).toMatchObject({ regression: false, appeared: [{ subject: "a" }] });
  });

  test("the time counts only with a tolerance", () => {
    const slow = ran([], { millisecondsPerSample: 20 });
    expect(compare(ran([]), slow).regression).toBe(false);
    expect(compare(ran([]), slow, 0.5)).toMatchObject({ regression: true, worse: [{ subject: "model" }] });
    expect(compare(ran([]), slow, 1).regression).toBe(false);
    expect(compare(slow, ran([]), 0.5)).toMatchObject({ regression: false, better: [{ subject: "model" }] });
  });
});

describe("input", () => {
  const refused = (text: string, code: string): void => {
    expect(() => parseResult(text, "a.json")).toThrow(expect.objectContaining({ name: "ModelError", code }));
  };

  test("what is no JSON, no result, or a result of another version is refused", () => {
    for (const text of ["", "{", "hello", "\u0000", '{"schema":"bitexact-run/1"', "NaN"]) refused(text, "compare/json");
    for (const text of [
      "null",
      "1",
      "[]",
      "{}",
      '{"schema":1}',
      '{"schema":"bitexact-run/2"}',
      '{"schema":"__proto__"}',
      '{"schema":"toString"}',
    ])
      refused(text, "compare/schema");
    refused(JSON.stringify({ schema: ["bitexact-run/1"] }), "compare/schema");
  });

  test("every field that is compared is checked, and named when it does not fit", () => {
    const documents: readonly Json[] = [verified([layer("a")]), timed([row("model", "m", 1, 1)]), ran([tensor("a")])];
    const optional = /^(macs|runs|nodes|unmatched|threads|variant|target|medianMs|minMs|gops)$/;
    let damaged = 0;
    const damage = (whole: Json, node: unknown): void => {
      if (typeof node !== "object" || node === null) return;
      for (const key of Object.keys(node)) {
        const place = node as Json;
        const kept = place[key];
        if (!optional.test(key) && key !== "schema") {
          for (const value of [undefined, [[]], -1.5, { a: 1 }]) {
            if (value === -1.5 && /^(sqnrDb|scale|min|max)$/.test(key)) continue;
            place[key] = value;
            if (key === "0" && value === undefined) continue;
            refused(JSON.stringify(whole), "compare/field");
            damaged++;
          }
          place[key] = kept;
          damage(whole, kept);
        }
      }
    };
    for (const document of documents) damage(document, document);
    expect(damaged).toBeGreaterThan(100);
    for (const document of documents) expect(() => read(document)).not.toThrow();
    expect(() => parseResult(JSON.stringify(ran([tensor("a", { sha256: "A".repeat(64) })])), "a.json")).toThrow(
      /a\.json: tensors\.0\.sha256: expected 64/,
    );
  });

  test("results of two kinds, or over different numbers of samples, are refused", () => {
    const code = (of: string) => expect.objectContaining({ name: "ModelError", code: of });
    expect(() => compare(ran([]), timed([]))).toThrow(code("compare/kinds"));
    expect(() => compare(verified([]), ran([]))).toThrow(code("compare/kinds"));
    expect(() => compare(ran([]), ran([], { samples: 2 }))).toThrow(code("compare/samples"));
    expect(() => compare(verified([]), verified([], { samples: 2 }))).toThrow(code("compare/samples"));
  });

  test("names like those of JavaScript's own properties, and names that come twice, are names", () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty", ""];
    const before = verified(names.map((name) => layer(name)));
    const after = verified(names.map((name) => layer(name, { local: local({ unexplained: 1 }) })));
    expect(compare(before, after).worse).toHaveLength(names.length);
    const twice = ran([tensor("a"), tensor("a", { max: 1 })]);
    expect(compare(twice, twice)).toMatchObject({ regression: false, unchanged: 1 });
  });

  test("20,000 layers are compared in one pass", () => {
    const layers = Array.from({ length: 20_000 }, (_, i) => layer(`layer ${i}`));
    const fresh = layers.map((one, i) => (i % 2 ? one : layer(`layer ${i}`, { local: local({ explained: i }) })));
    const report = compare(verified(layers), verified(fresh.slice(0, -10)));
    expect(report.worse).toHaveLength(9_994);
    expect(report.worse[0]?.subject).toBe("layer 19988");
    expect(report.vanished).toHaveLength(10);
  });
});
