/** What the page runs on, as a browser tells it. */
import manifest from "../package.json" with { type: "json" };
import { engineFor } from "../src/api.ts";
import type { Fact } from "../src/report/EnvironmentPanel.tsx";

const ENGINES: readonly (readonly [RegExp, string])[] = [
  [/Firefox\/([\d.]+)/, "Firefox"],
  [/Edg\/([\d.]+)/, "Edge"],
  [/Chrome\/([\d.]+)/, "Chromium"],
  [/Version\/([\d.]+).*Safari/, "Safari"],
];

/** "Chromium 156". */
export function engineName(): string {
  for (const [pattern, name] of ENGINES) {
    const version = pattern.exec(navigator.userAgent)?.[1];
    if (version) return `${name} ${version.split(".")[0]}`;
  }
  return navigator.userAgent;
}

export function processorName(): string {
  return `${navigator.hardwareConcurrency} logical processors`;
}

const WHY = {
  usdot: "relaxed dot product, second operand unsigned: proven by known answers",
  sdot: "relaxed dot product, second operand signed: proven by known answers",
  simd: "baseline SIMD, exact on every engine",
} as const;

/** The environment box. */
export async function environment(): Promise<readonly Fact[]> {
  const { geometry } = await engineFor("auto");
  return [
    ["Engine", engineName()],
    ["Processors", processorName()],
    ["Kernels", `${geometry.variant} (${WHY[geometry.variant]})`],
    [
      "Cross-origin isolated",
      globalThis.crossOriginIsolated ? "yes, memory can be shared" : "no, so memory cannot be shared among threads",
    ],
    ["Written by", `bitexact ${manifest.version}`],
  ];
}
