/** Models as commands run them: ONNX files with their encodings, or compiled ones, which have all of that decided. */
import { closeSync, openSync, readSync } from "node:fs";
import { MAGIC } from "../bex/format.ts";
import { loadCompiled } from "../bex/load.ts";
import type { CompiledSession } from "../bex/session.ts";
import { type Issue, ModelError, modelError } from "../errors.ts";
import { loadModel, type Model, Session } from "../index.ts";
import type { LoadedModel } from "../model.ts";
import { indexBounds } from "../passes/indexBounds.ts";
import type { ModelOptions } from "./arguments.ts";

/** Code of the warning that a session has fewer threads than were asked for. */
export const THREADS_NOTE = "session/threads";

/** What samples are gathered for. */
export interface RunnableModel extends Model {
  readonly bounds: ReadonlyMap<string, number>; // of index inputs
}

export interface Opened<T> {
  readonly model: RunnableModel;
  readonly session: Session | CompiledSession;
  readonly gathered: T;
}

/** Whether the file says that it is a compiled model. A file that cannot be read is none: who reads it next says why. */
export function isCompiled(path: string): boolean {
  try {
    const file = openSync(path, "r");
    const first = new Uint8Array(MAGIC.length);
    readSync(file, first, 0, first.length, 0);
    closeSync(file);
    return String.fromCharCode(...first) === MAGIC;
  } catch {
    return false;
  }
}

/** throws ModelError "cli/compiled" where a command needs the network itself, which a compiled model no longer holds. */
export function refuseCompiled(path: string): void {
  if (isCompiled(path)) throw modelError("cli/compiled", `${path}: is a compiled model. Give the ONNX file that it was made from.`);
}

/** throws ModelError "cli/compiled" for options that were decided when the model was compiled. */
export function refuseDecided(path: string, options: ModelOptions): void {
  const decided = { encodings: "--encodings", strict: "--strict", target: "--target", shape: "--shape" } as const;
  const issues = (Object.keys(decided) as (keyof typeof decided)[])
    .filter((name) => options[name])
    .map((name): Issue => ({ code: "cli/compiled", message: `${path}: a compiled model has its ${decided[name]} in it. Leave it out.` }));
  if (issues.length > 0) throw new ModelError(issues);
}

/** A session of the file. `gather` is asked for the samples before a session of an ONNX model is made. */
export async function openModel<T>(path: string, options: ModelOptions, gather: (model: RunnableModel) => T): Promise<Opened<T>> {
  if (isCompiled(path)) {
    refuseDecided(path, options);
    if (options.threads !== undefined && options.threads !== 1)
      throw modelError("cli/compiled", `${path}: compiled models run on one thread. Leave out --threads.`);
    const session = await loadCompiled(path, { variant: options.variant ?? "auto" });
    const { inputs, outputs, bounds } = session;
    const model = { inputs, outputs, warnings: [], bounds };
    return { model, session, gathered: gather(model) };
  }
  const loaded = await loadModel(path, { ...(options.encodings ? { encodings: options.encodings } : {}), strict: options.strict ?? false });
  const model = { ...loaded, bounds: indexBounds((loaded as LoadedModel).graph) };
  const gathered = gather(model);
  const session = await Session.create(loaded, {
    ...(options.target ? { target: options.target } : {}),
    variant: options.variant ?? "auto",
    ...(options.shape ? { shapes: options.shape } : {}),
    threads: options.threads ?? 1,
  });
  const alone: Issue[] = session.threadsReason === null ? [] : [{ code: THREADS_NOTE, message: session.threadsReason }];
  return { model: { ...model, warnings: [...model.warnings, ...alone] }, session, gathered };
}
