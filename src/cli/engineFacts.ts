/** What this process runs on, in words, for benchmarks and reports. */
import { cpus } from "node:os";
import manifest from "../../package.json" with { type: "json" };

export function engineName(): string {
  return `Node ${process.versions.node} (V8 ${process.versions.v8})`;
}

export function cpuName(): string {
  return `${cpus()[0]?.model.trim() ?? "unknown processor"} (${process.arch})`;
}

/** The facts every report file ends with. */
export function engineFacts(): [string, string][] {
  return [
    ["Engine", engineName()],
    ["Processor", cpuName()],
    ["Written by", `bitexact ${manifest.version}`],
  ];
}
