/** The commander program: one command per file, one exit code. Nothing here calls process.exit. */
import { Command, CommanderError } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { addBench } from "./bench.ts";
import { addCompare } from "./compare.ts";
import { addCompile } from "./compile.ts";
import { addDoctor } from "./doctor.ts";
import { EXIT, type ExitCode, reportFailure } from "./failure.ts";
import { addInspect } from "./inspect.ts";
import { addRun } from "./run.ts";
import type { Streams } from "./streams.ts";
import { addVerify } from "./verify.ts";

const EXAMPLES = `
Examples:
  bitexact inspect model.onnx -e model.encodings
  bitexact run model.onnx -e model.encodings --inputs inputs.npz --out outputs.npz
  bitexact verify model.onnx -e model.encodings --random 1 --samples 100
  bitexact bench model.onnx -e model.encodings --trace trace.json
  bitexact compare before.json after.json
  bitexact compile model.onnx -e model.encodings -o model.bex
  bitexact doctor

Exit codes: 0 ok · 1 mismatch · 2 bad input · 3 internal`;

/** Runs one command line (without the program's own name). Returns the exit code; never throws. */
export async function runCommandLine(words: readonly string[], streams: Streams): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const done = (result: ExitCode): void => {
    code = result;
  };
  const program = new Command("bitexact")
    .description("Bit-exact integer inference of quantized ONNX models in WebAssembly SIMD")
    .version(manifest.version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => streams.stdout.write(text), writeErr: (text) => streams.stderr.write(text) })
    .addHelpText("after", EXAMPLES);
  addInspect(program, streams, done);
  addRun(program, streams, done);
  addVerify(program, streams, done);
  addBench(program, streams, done);
  addCompare(program, streams, done);
  addCompile(program, streams, done);
  addDoctor(program, streams, done);
  for (const command of program.commands) command.copyInheritedSettings(program).showHelpAfterError("(add --help for the options)");
  try {
    await program.parseAsync(words.length > 0 ? words : ["--help"], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
    return reportFailure(error, streams.stderr);
  }
}
