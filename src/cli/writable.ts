/** Asks whether a file can be written before any work is done for it. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { modelError } from "../errors.ts";

/** throws ModelError "cli/file" when `file` is a folder, its folder is missing, or either may not be written. "-" and absent are fine. */
export function checkWritable(file: string | undefined): void {
  if (file === undefined || file === "-") return;
  const folder = dirname(resolve(file));
  if (!existsSync(folder)) throw modelError("cli/file", `${file}: the folder ${folder} does not exist. Create it first.`);
  if (existsSync(file) && statSync(file).isDirectory()) throw modelError("cli/file", `${file}: is a folder, expected a file name.`);
  try {
    accessSync(existsSync(file) ? file : folder, constants.W_OK);
  } catch {
    throw modelError("cli/file", `${file}: may not be written. Check the permissions.`);
  }
}
