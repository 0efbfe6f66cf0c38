/** Entry of the `bitexact` command. */
import { runCommandLine } from "./program.ts";
import { endOnClosedPipe } from "./streams.ts";

endOnClosedPipe(process.stdout);
process.exitCode = await runCommandLine(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr });
