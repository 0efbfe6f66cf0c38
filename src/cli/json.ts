/** `--json FILE|-`: one JSON document to a file or to stdout. */
import { writeFileSync } from "node:fs";
import type { Sink, Streams } from "./streams.ts";

/** Writes `value` where `--json` says. */
export function writeJson(value: unknown, file: string | undefined, streams: Streams): void {
  if (file === undefined) return;
  const text = `${JSON.stringify(value, null, 2)}\n`;
  if (file === "-") streams.stdout.write(text);
  else writeFileSync(file, text);
}

/** Where text for people goes: with `--json -` stdout holds the document alone. */
export function textSink(file: string | undefined, streams: Streams): Sink {
  return file === "-" ? streams.stderr : streams.stdout;
}
