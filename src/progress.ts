/** Progress: what calls that take long tell of how far they are. */

export interface Progress {
  /** load: bytes of a model read. plan: layers lowered. run: steps done, of runs that pause. More phases may come. */
  readonly phase: "load" | "plan" | "run" | (string & {});
  readonly done: number;
  readonly total: number; // 0 while unknown
  readonly layer: string; // node, value or source at hand; "" where none is
}

export type OnProgress = (progress: Progress) => void;
