/** Exit codes of the command line, and how a failure is told. */
import pc from "picocolors";
import { ModelError, SessionError } from "../errors.ts";
import type { Sink } from "./streams.ts";

export const EXIT = { ok: 0, mismatch: 1, badInput: 2, internal: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** File-system codes that mean the user named a path that cannot be used. */
const PATH_ERRORS = ["ENOENT", "EISDIR", "ENOTDIR", "EACCES", "EPERM", "ENAMETOOLONG", "ELOOP", "EROFS", "ENOSPC", "EDQUOT", "EBUSY"];

function isPathError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && PATH_ERRORS.includes((error as NodeJS.ErrnoException).code ?? "");
}

/** Writes what went wrong to `sink` and returns the exit code it deserves. */
export function reportFailure(error: unknown, sink: Sink): ExitCode {
  if (error instanceof ModelError) {
    for (const issue of error.issues) sink.write(`${pc.red("error")} ${pc.bold(issue.code)}  ${issue.message}\n`);
    return EXIT.badInput;
  }
  if (isPathError(error)) {
    sink.write(`${pc.red("error")} ${pc.bold("cli/file")}  ${error.path ?? ""}: ${error.code}. Check the path.\n`);
    return EXIT.badInput;
  }
  if (error instanceof SessionError && error.code === "session/out-of-memory") {
    sink.write(`${pc.red("error")} ${pc.bold(error.code)}  ${error.message}\n`);
    return EXIT.badInput;
  }
  if (error instanceof SessionError) {
    sink.write(`${pc.red("error")} ${pc.bold(error.code)}  ${error.message}\n`);
    return EXIT.internal;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  sink.write(`${pc.red("internal error")}  This is a defect of bitexact, not of your files; please report it.\n${text}\n`);
  return EXIT.internal;
}
