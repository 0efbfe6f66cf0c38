/** Types of the exactness checks, for the tests that run them on the sources. */
import type { loadModel, Session, Tensor, verify } from "../../src/index.ts";

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
}

export interface CheckResult {
  readonly variant: string;
  readonly accepted: readonly string[];
  readonly refused: Readonly<Record<string, string>>;
  readonly checksums: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly checks: readonly Check[];
}

/** Files of the repository by their path in it. */
export interface Host {
  readonly address: (path: string) => string;
  readonly read: (path: string) => Promise<Uint8Array>;
}

export declare function runChecks(
  api: {
    readonly loadModel: typeof loadModel;
    readonly Session: typeof Session;
    readonly Tensor: typeof Tensor;
    readonly verify: typeof verify;
  },
  host: Host,
): Promise<CheckResult>;
