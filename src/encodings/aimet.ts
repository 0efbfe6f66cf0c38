/** AIMET encodings files, versions 0.4 to 2.1.0, to one entry per tensor name. */
import { type Issue, ModelError, modelError } from "../errors.ts";
import { type EncodingEntry, type EncodingsFile, type Report, type Section, sameEntry } from "./aimetEntry.ts";
import { readListEntry, readRecordEntry } from "./aimetLegacy.ts";
import { readModernEntry } from "./aimetModern.ts";

export type { EncodingEntry, EncodingsFile, FloatEntry, Granularity, IntEntry } from "./aimetEntry.ts";
export { type ConsumerAxes, resolveEncoding } from "./aimetResolve.ts";

const KNOWN_VERSIONS = /^(0\.[0-6](\.\d+)?|1\.0(\.\d+)?|2\.[01](\.\d+)?(\.?beta\d*)?)$/;

type Json = Readonly<Record<string, unknown>>;

/** The entries of an encodings file. Scales are float32, zero points lie on the signed or unsigned grid of the entry's type.
 *  The shape of the lists decides between 0.x and 1.0.0 where it contradicts the version.
 *  throws ModelError listing every issue: "encodings/json", "encodings/version", "encodings/torch-file", "encodings/entry",
 *  "encodings/scale", "encodings/zero-point", "encodings/half-zero-point", "encodings/offset", "encodings/bit-width",
 *  "encodings/length", "encodings/float", "encodings/unsupported", "encodings/duplicate". */
export function parseEncodings(json: unknown): EncodingsFile {
  const file = typeof json === "string" ? parseJson(json) : json;
  if (!isRecord(file)) throw modelError("encodings/json", "encodings: no JSON object, expected an AIMET encodings file.");
  const version = field(file, "version") ?? "0.4.0";
  if (typeof version !== "string" || !KNOWN_VERSIONS.test(version)) {
    throw modelError(
      "encodings/version",
      `encodings: version ${JSON.stringify(version)}, expected 0.4 to 0.6.1, 1.0.0, 2.0.0 or 2.1.0. Export in one of these.`,
    );
  }
  const report: Report = { issues: [], warnings: [] };
  const entries = new Map<string, EncodingEntry>();
  if (version.startsWith("2.")) readModern(report, file, entries);
  else {
    readSection(report, file, "activation_encodings", "activation", entries);
    readSection(report, file, "param_encodings", "param", entries);
  }
  if (report.issues.length > 0) throw new ModelError(report.issues);
  return { version, entries, warnings: report.warnings };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.startsWith("\ufeff") ? text.slice(1) : text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw modelError("encodings/json", `encodings: no valid JSON (${reason}), expected an AIMET encodings file.`);
  }
}

function readModern(report: Report, file: Json, entries: Map<string, EncodingEntry>): void {
  const list = field(file, "encodings");
  if (!Array.isArray(list)) {
    report.issues.push({
      code: "encodings/entry",
      message: "encodings: version 2.x without a list 'encodings'. Export the encodings again.",
    });
    return;
  }
  for (const [index, item] of list.entries()) {
    const name = nameOf(report, item, `encodings[${index}]`);
    if (name !== undefined) add(report, entries, name, readModernEntry(report, name, item));
  }
}

function readSection(report: Report, file: Json, key: string, section: Section, entries: Map<string, EncodingEntry>): void {
  const content = field(file, key);
  if (content === undefined) {
    report.issues.push({
      code: "encodings/entry",
      message: `encodings: no '${key}', expected a list or an object. Export the encodings again.`,
    });
    return;
  }
  if (!Array.isArray(content) && !isRecord(content)) {
    report.issues.push({
      code: "encodings/entry",
      message: `encodings: '${key}' is ${content === null ? "null" : typeof content}, expected a list or an object.`,
    });
    return;
  }
  const single = isRecord(content) && typeof field(content, "name") === "string" && typeof field(content, "enc_type") === "string";
  if (single)
    report.warnings.push({ code: "encodings/single-object", message: `encodings: '${key}' is one object, read as a list of one.` });
  if (Array.isArray(content) || single) {
    for (const [index, item] of (single ? [content] : (content as unknown[])).entries()) {
      const name = nameOf(report, item, `${key}[${index}]`);
      if (name !== undefined) add(report, entries, name, readRecordEntry(report, name, item, section));
    }
    return;
  }
  for (const [name, item] of Object.entries(content)) {
    if (isTorchEntry(item)) {
      report.issues.push(torchFile(name));
      return;
    }
    const isNew = isRecord(item) && field(item, "bw") !== undefined;
    add(report, entries, name, isNew ? readRecordEntry(report, name, item, section) : readListEntry(report, name, item, section));
  }
}

/** Files keyed by module name hold {"input": {"0": …}, "output": {"0": …}} per module. */
function isTorchEntry(item: unknown): boolean {
  return isRecord(item) && (isRecord(field(item, "input")) || isRecord(field(item, "output")));
}

function torchFile(name: string): Issue {
  return {
    code: "encodings/torch-file",
    message: `encodings: '${name}' is keyed by module, expected tensor names of the ONNX file. Use <prefix>.encodings, not <prefix>_torch.encodings.`,
    tensor: name,
  };
}

function add(report: Report, entries: Map<string, EncodingEntry>, name: string, entry: EncodingEntry | undefined): void {
  if (!entry) return;
  const other = entries.get(name);
  if (!other) entries.set(name, entry);
  else if (sameEntry(other, entry)) entries.set(name, { ...other, section: other.section === entry.section ? entry.section : "both" });
  else {
    report.issues.push({
      code: "encodings/duplicate",
      message: `encoding of '${name}': given twice with different values, expected one. Remove one of them.`,
      tensor: name,
    });
  }
}

function nameOf(report: Report, item: unknown, where: string): string | undefined {
  const name = isRecord(item) ? field(item, "name") : undefined;
  if (typeof name === "string" && name !== "") return name;
  report.issues.push({
    code: "encodings/entry",
    message: `encodings: ${where} has no name, expected the tensor's. Export the encodings again.`,
  });
  return undefined;
}

/** Own fields only: a file cannot reach what objects inherit. */
function field(object: Json, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function isRecord(json: unknown): json is Json {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
