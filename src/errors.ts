/** The two error classes of the package and the issue record they carry. Bad input of any kind is a ModelError that
 *  lists every issue at once; a session that cannot serve a call throws a SessionError. */

export interface Issue {
  readonly code: string; // "area/what"
  readonly message: string; // where · found · expected · remedy
  readonly node?: string;
  readonly tensor?: string;
}

/** Bad input: model, encodings, feeds or arguments. `code` is that of the first issue. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly code: string;
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    super(issues.map((issue) => issue.message).join("\n"));
    this.issues = issues;
    this.code = issues[0]?.code ?? "model/unknown";
  }
}

/** A session that is disposed, aborted, or out of memory. */
export class SessionError extends Error {
  override readonly name = "SessionError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A ModelError with one issue. */
export function modelError(code: string, message: string, where: { node?: string; tensor?: string } = {}): ModelError {
  return new ModelError([{ code, message, ...where }]);
}

/** For programmer mistakes only; never for input. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`internal: ${message}`);
}
