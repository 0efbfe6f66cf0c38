/** Which engine runs this, by its own account. For people: nothing is chosen by it. */
import { nodeModule } from "../io/source.ts";
import type { EngineReport } from "./report.ts";

interface Globals {
  readonly process?: {
    readonly versions?: Readonly<Record<string, string | undefined>>;
    readonly platform?: string;
    readonly arch?: string;
  };
  readonly navigator?: { readonly userAgent?: string; readonly hardwareConcurrency?: number; readonly platform?: string };
}

const { process: host, navigator: browser }: Globals = globalThis;

const RUNTIMES = [
  ["deno", "Deno"],
  ["bun", "Bun"],
  ["node", "Node"],
] as const;

/** The first that matches: Chromium's relatives all name Chrome, and everyone names Safari. */
const BROWSERS = [
  [/Firefox\/(\d+(?:\.\d+)?)/, "Firefox"],
  [/Edg\/(\d+)/, "Edge"],
  [/HeadlessChrome\/(\d+)/, "Chromium"],
  [/Chrom(?:e|ium)\/(\d+)/, "Chromium"],
  [/Version\/(\d+(?:\.\d+)?).* Safari\//, "Safari"],
] as const;

export async function engineReport(): Promise<EngineReport> {
  const userAgent = browser?.userAgent ?? null;
  const versions = host?.versions;
  if (!versions?.node) return { name: browserName(userAgent ?? ""), platform: browser?.platform ?? null, cpu: null, userAgent };
  return { name: runtimeName(versions), platform: `${host?.platform} ${host?.arch}`, cpu: await cpuModel(), userAgent };
}

function runtimeName(versions: Readonly<Record<string, string | undefined>>): string {
  const [key, name] = RUNTIMES.find(([key]) => versions[key] !== undefined) ?? RUNTIMES[2];
  return `${name} ${versions[key]}${versions.v8 ? ` (V8 ${versions.v8})` : ""}`;
}

/** "Firefox 153.0" from a user agent string. */
export function browserName(userAgent: string): string {
  for (const [pattern, name] of BROWSERS) {
    const version = pattern.exec(userAgent)?.[1];
    if (version) return `${name} ${version}`;
  }
  return "unknown engine";
}

async function cpuModel(): Promise<string | null> {
  const { cpus } = await nodeModule<typeof import("node:os")>("node:os");
  return cpus()[0]?.model.trim() || null;
}

/** Logical processors, as the engine says. */
export async function coreCount(): Promise<number | null> {
  if (browser?.hardwareConcurrency) return browser.hardwareConcurrency;
  if (!host?.versions?.node) return null;
  const { availableParallelism } = await nodeModule<typeof import("node:os")>("node:os");
  return availableParallelism();
}

export const inBrowser = !host?.versions?.node;
