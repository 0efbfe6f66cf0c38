/** Report files: one document that needs nothing else, says what the report says, and stays small. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { LayerReport, Mismatch, VerifyReport } from "../../src/index.ts";
import { reportFile } from "../../src/report/file.tsx";
import { emptyHeatmap, emptyHistogram } from "../../src/verify/distribution.ts";
import { bitexact, bundled, scratch } from "../cli/commandLine.ts";

const cnn = bundled("digits_cnn/w8a8_pc");

const WORST: Mismatch = {
  sample: 0,
  index: [0, 1, 2, 3],
  runtime: 7,
  source: 8,
  exact: 7.4999,
  tieDistance: 1e-4,
  tieUnits: 0.5,
  bound: 0.01,
};

/** A layer in which every cell of the map holds mismatches. */
function differing(tensor: string): LayerReport {
  const map = emptyHeatmap([1, 256, 56, 56]);
  map.counts.forEach((_, i) => {
    map.counts[i] = 1 + ((i * 7919) % 97);
  });
  const ties = emptyHistogram();
  ties.counts.fill(1234);
  const elements = 802_816;
  return {
    ...{ tensor, op: "Conv+Relu", nodes: [tensor] },
    local: {
      ...{ elements, equal: elements - 50_000, explained: 50_000, undecided: 0, unexplained: 0, maxLsb: 1 },
      ...{
        boundLsb: { median: 0.01, max: 0.1 },
        decisive: 1,
        maxTieDistance: 0.01,
        suspicious: 0,
        worst: new Array(8).fill(WORST),
        map,
        ties,
      },
    },
    endToEnd: { elements, equal: elements, differing: 0, maxLsb: 0, sqnrDb: null },
    noise: { localDb: 40, cumulativeDb: 30 },
  };
}

function reportOf(layers: readonly LayerReport[]): VerifyReport {
  return {
    ...{ schema: "bitexact-verify/1", target: "exact", variant: "simd", against: "sim-f32", samples: 1, verdict: "explained" },
    ...{ coverage: { recorded: 0, matched: 0, unmatched: [] }, layers },
    totals: { local: layers[0]!.local, endToEnd: null },
  };
}

const policyOf = (html: string): string => /Content-Security-Policy" content="([^"]+)"/.exec(html)![1]!;

describe("a report file", () => {
  it("stays below 1 MB for 70 layers of MobileNetV2 even when every cell of every map is hit", async () => {
    const html = await reportFile({
      model: "m",
      verify: reportOf(Array.from({ length: 70 }, (_, i) => differing(`layer${i}`))),
      facts: [],
    });
    expect(Buffer.byteLength(html)).toBeLessThan(2 ** 20);
    expect(Buffer.byteLength(html)).toBeGreaterThan(100_000);
  });

  it("allows nothing but its own style and script, which have the hashes it names, and asks the network for nothing", async () => {
    const html = await reportFile({ model: "m", verify: reportOf([differing("a")]), facts: [["Engine", "x"]] });
    const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
    const style = /<style>([\s\S]*?)<\/style>/.exec(html)![1]!;
    const script = /<script>([\s\S]*?)<\/script>/.exec(html)![1]!;
    expect(style.length).toBeGreaterThan(1000);
    const policy = policyOf(html);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`style-src ${hash(style)};`);
    expect(policy).toContain(`script-src ${hash(script)};`);
    expect(html).not.toMatch(/\sstyle=|\son\w+=|https?:|<link|<img|url\(|@import/);
    expect(() => new Function(script)).not.toThrow();
  });

  it("writes names as text, whatever they contain", async () => {
    const name = '</script><script>alert(1)</script><img src=x onerror="alert(2)">';
    const html = await reportFile({ model: name, verify: reportOf([differing(name)]), facts: [[name, name]] });
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).not.toContain("<img");
    expect(html).toContain("&lt;/script>&lt;script>alert(1)");
  });

  it("names only the noise that was measured", async () => {
    const layer = (noise: LayerReport["noise"]) => ({ ...differing("a"), ...(noise ? { noise } : {}) });
    const html = async (noise: LayerReport["noise"]) => reportFile({ model: "m", verify: reportOf([layer(noise)]), facts: [] });
    expect(await html({ localDb: 40 })).not.toContain("accumulated: against");
    expect(await html({ cumulativeDb: 40 })).not.toContain("alone: codes");
    expect(await html({ localDb: 40, cumulativeDb: null })).toMatch(/alone: codes[\s\S]*accumulated: against/);
  });

  it("has the same bytes for the same content", async () => {
    const content = { model: "m", verify: reportOf([differing("a")]), facts: [] };
    expect(await reportFile(content)).toBe(await reportFile(content));
  });
});

describe("--report", () => {
  it("verify writes every layer's figures, the noise, and what they were found on", async () => {
    const folder = scratch();
    const words = [
      "verify",
      cnn.model,
      "-e",
      cnn.encodings,
      "--inputs",
      cnn.inputs,
      "--report",
      join(folder, "r.html"),
      "--json",
      join(folder, "r.json"),
    ];
    expect((await bitexact(...words)).code).toBe(0);
    const html = readFileSync(join(folder, "r.html"), "utf8");
    const report = JSON.parse(readFileSync(join(folder, "r.json"), "utf8")) as VerifyReport;
    expect(html.match(/data-layer="[^"]+" ?/g)!.length).toBe(2 * report.layers.length); // the table of figures and that of noise
    expect(html).toContain('data-verdict="exact"');
    for (const { noise } of report.layers) expect(html).toContain(`<td class="figure">${noise!.cumulativeDb!.toFixed(1)}</td>`);
    expect(html).toContain("Node ");
    expect(html.length).toBeLessThan(100_000);
  });

  it("bench writes the time of every layer and kernel", async () => {
    const folder = scratch();
    const words = [
      "bench",
      cnn.model,
      "-e",
      cnn.encodings,
      "--runs",
      "5",
      "--report",
      join(folder, "r.html"),
      "--json",
      join(folder, "r.json"),
    ];
    expect((await bitexact(...words)).code).toBe(0);
    const html = readFileSync(join(folder, "r.html"), "utf8");
    const { rows } = JSON.parse(readFileSync(join(folder, "r.json"), "utf8")) as {
      rows: { suite: string; name: string; medianMs: number }[];
    };
    for (const { suite, name, medianMs } of rows.slice(1)) {
      expect(html, suite).toContain(`data-layer="${name}"`);
      expect(html, name).toContain(`>${(1000 * medianMs).toFixed(1)}</td>`);
    }
  });

  it("is refused before any work where it cannot be written", async () => {
    const { code, stderr } = await bitexact("verify", cnn.model, "--random", "1", "--report", "/nowhere/at/all.html");
    expect(code).toBe(2);
    expect(stderr).toContain("cli/file");
  });
});
