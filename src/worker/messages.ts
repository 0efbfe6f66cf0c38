/** What a page or process and its session worker say to each other, and how errors and tensors cross the border. */
import type { Encoding } from "../encodings/encoding.ts";
import { type Issue, ModelError, SessionError } from "../errors.ts";
import type { ValueInfo } from "../model.ts";
import type { Target, Variant } from "../plan/plan.ts";
import type { Progress } from "../progress.ts";
import type { ElementType, TypedArray } from "../tensor/dtype.ts";
import { Tensor } from "../tensor/tensor.ts";

/** A source that can be cloned: a string is a path in Node, a complete address elsewhere. */
export type SentSource = Uint8Array | string | Blob;

export interface OpenRequest {
  readonly kind: "open";
  readonly id: number;
  readonly source: SentSource;
  readonly options: Readonly<Record<string, unknown>>;
  readonly telling: boolean; // progress is wanted
}

export interface RunRequest {
  readonly kind: "run";
  readonly id: number;
  readonly feeds: SentTensors;
  readonly options: Readonly<Record<string, unknown>>;
  readonly outputs: SentTensors | null; // of the caller, without their elements
  readonly abortable: boolean;
  readonly telling: boolean;
}

/** Asks the worker to hold a lock of this name until it ends, however it ends: who waits for the lock learns of that. */
export interface LockRequest {
  readonly kind: "lock";
  readonly name: string;
}

export type Request = OpenRequest | RunRequest | LockRequest | { readonly kind: "abort"; readonly id: number };

/** What the worker tells of an opened session. */
export interface Opened {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly warnings: readonly Issue[];
  readonly target: Target;
  readonly variant: Variant;
}

export type Reply =
  | { readonly kind: "opened"; readonly id: number; readonly value: Opened }
  | { readonly kind: "results"; readonly id: number; readonly value: SentTensors }
  | { readonly kind: "failed"; readonly id: number; readonly error: SentError }
  | { readonly kind: "progress"; readonly id: number; readonly progress: Progress };

export interface SentTensor {
  readonly type: ElementType;
  readonly data: TypedArray;
  readonly dims: readonly number[];
  readonly encoding: Encoding | undefined;
}

export type SentTensors = Readonly<Record<string, SentTensor>>;

/** issues: of a ModelError; code: of a SessionError; neither: what the worker did not expect. */
export interface SentError {
  readonly message: string;
  readonly issues?: readonly Issue[];
  readonly code?: string;
}

export function packError(error: unknown): SentError {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ModelError) return { message, issues: error.issues };
  return error instanceof SessionError ? { message, code: error.code } : { message };
}

/** The error of the class it had; undefined for one that no caller should see. */
export function unpackError({ message, issues, code }: SentError): ModelError | SessionError | undefined {
  if (issues) return new ModelError(issues);
  return code === undefined ? undefined : new SessionError(code, message);
}

/** Fields of tensors for a message. Fields that are missing or wrong cross as they are: the session's own checks name them. */
export function packTensors(tensors: Readonly<Record<string, Tensor>>): SentTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      const { type, data, dims, encoding } = tensor ?? {};
      return [name, { type, data, dims, encoding }];
    }),
  );
}

/** throws ModelError "tensor/…" for fields that make no tensor. */
export function unpackTensors(sent: SentTensors): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = Object.create(null);
  for (const [name, { type, data, dims, encoding }] of Object.entries(sent)) tensors[name] = new Tensor(type, data, dims, encoding);
  return tensors;
}

/** Buffers that tensors fill from end to end: those may be given away. */
export function wholeBuffers(tensors: SentTensors): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  for (const { data } of Object.values(tensors)) {
    const buffer = data?.buffer;
    if (buffer instanceof ArrayBuffer && buffer.byteLength === data.byteLength && buffer.byteLength > 0) found.add(buffer);
  }
  return [...found];
}
