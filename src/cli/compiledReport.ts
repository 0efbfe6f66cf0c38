/** What a compiled model's file says of itself: as a record and as text. */
import pc from "picocolors";
import { openBytes } from "../bex/bytes.ts";
import { checksumOf } from "../bex/checksum.ts";
import { type BexPort, FORMAT_VERSION, PREAMBLE_BYTES, STEP_NUMBERS } from "../bex/format.ts";
import { altered } from "../bex/header.ts";
import { fileHeader } from "../bex/load.ts";
import { formatBytes, formatTable, wrap } from "./table.ts";

/** What `inspect --json` writes of a compiled model. */
export interface CompiledReport {
  readonly schema: "bitexact-compiled/1";
  readonly format: number;
  readonly producer: string;
  readonly name: string;
  readonly target: string;
  readonly bytes: number;
  readonly inputs: readonly PortRecord[];
  readonly outputs: readonly PortRecord[];
  readonly captures: readonly string[];
  readonly plans: readonly PlanRecord[];
}

interface PortRecord {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly encoding: { readonly type: string; readonly scale: number; readonly zeroPoint: number } | null;
}

interface PlanRecord {
  readonly variant: string;
  readonly steps: number;
  readonly weightBytes: number; // packed weights and what goes with them
  readonly constantBytes: number;
  readonly arenaBytes: number;
  readonly modules: Readonly<Record<string, string>>;
}

/** Checks every section. throws ModelError "bex/…". */
export async function compiledReport(bytes: Uint8Array): Promise<CompiledReport> {
  const { header, preamble } = await fileHeader(await openBytes(bytes));
  let at = PREAMBLE_BYTES + preamble.headerBytes;
  for (const [i, [length, checksum]] of header.sections.entries()) {
    if (checksumOf(bytes.subarray(at, at + length)) !== checksum) throw altered(`section ${i}`);
    at += length;
  }
  const { producer, name, target, plans } = header;
  const [first] = plans;
  return {
    schema: "bitexact-compiled/1",
    ...{ format: FORMAT_VERSION, producer, name, target, bytes: bytes.length },
    inputs: (first?.inputs ?? []).map(portRecord),
    outputs: (first?.outputs ?? []).map(portRecord),
    captures: (first?.captures ?? []).map(({ value }) => value),
    plans: plans.map(({ variant, steps, image, constants, arena, modules }) => {
      const sizes = image.map(([section, address]) => [address, header.sections[section]![0]] as const);
      return {
        variant,
        steps: steps.length / STEP_NUMBERS,
        weightBytes: sizes.reduce((sum, [address, size]) => sum + Math.max(0, Math.min(address + size, constants) - address), 0),
        constantBytes: arena[0] - constants,
        arenaBytes: arena[1],
        modules,
      };
    }),
  };
}

function portRecord({ value, type, shape, encoding }: BexPort): PortRecord {
  return { name: value, type, shape, encoding: encoding ?? null };
}

export function describeCompiled(path: string, report: CompiledReport, width: number): string {
  const { producer, name, target, bytes, inputs, outputs, captures, plans } = report;
  const title = `${path}: ${name === "" ? "a model" : `'${name}'`} compiled by ${producer}, target ${target}, ${formatBytes(bytes)}, every section intact`;
  const rows = plans.map((plan) => [
    plan.variant,
    String(plan.steps),
    formatBytes(plan.weightBytes),
    formatBytes(plan.constantBytes),
    formatBytes(plan.arenaBytes),
    Object.entries(plan.modules)
      .map(([module, build]) => `${module} ${build.slice(0, 8)}`)
      .join(", "),
  ]);
  const columns = [
    { title: "kernels", align: "left" },
    { title: "steps" },
    { title: "weights" },
    { title: "constants" },
    { title: "arena" },
    { title: "modules", align: "left", shrink: true },
  ] as const;
  const sections = [
    wrap(title, width, "  "),
    portLines("Inputs", inputs, width),
    portLines("Outputs", outputs, width),
    captures.length > 0 ? wrap(`${pc.bold("Captures")}  ${captures.join(", ")}`, width, "  ") : "",
    formatTable(columns, rows, width),
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

function portLines(title: string, ports: readonly PortRecord[], width: number): string {
  const lines = ports.map(({ name, type, shape, encoding }) => {
    const grid = encoding ? `  ${encoding.type}, scale ${encoding.scale.toPrecision(8)}, zero point ${encoding.zeroPoint}` : "";
    return wrap(`  ${name}  ${type} [${shape.join(", ")}]${grid}`, width, "    ");
  });
  return [pc.bold(title), ...lines].join("\n");
}
