/** Runs the command line in this process and collects what it writes, as on a terminal of 80 columns, without colours. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { runCommandLine } from "../../src/cli/program.ts";

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function bitexact(...words: string[]): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  const code = await runCommandLine(words, {
    stdout: {
      columns: 80,
      write: (text) => {
        stdout += text;
      },
    },
    stderr: {
      columns: 80,
      write: (text) => {
        stderr += text;
      },
    },
  });
  return { code, stdout: stripVTControlCharacters(stdout), stderr: stripVTControlCharacters(stderr) };
}

/** A fresh folder for one test's files. */
export function scratch(): string {
  return mkdtempSync(join(tmpdir(), "bitexact-cli-"));
}

export interface Paths {
  readonly model: string;
  readonly encodings: string;
  readonly inputs: string;
  readonly sim: string;
}

/** Files of a bundled network. */
export function bundled(folder: string): Paths {
  const at = (name: string): string => join("models", folder, name);
  return { model: at("model.onnx"), encodings: at("model.encodings"), inputs: at("inputs.npz"), sim: at("sim.npz") };
}
