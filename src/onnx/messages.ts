/** The ONNX messages as `readModel` returns them; a member is there when the file has the field. */

/** A 64-bit integer: a number where that is exact. */
export type Long = number | bigint;

export interface ModelMessage {
  readonly graph?: GraphMessage;
  readonly opsetImport?: readonly { readonly domain?: string; readonly version?: Long }[];
  readonly functions?: readonly { readonly domain?: string; readonly name?: string }[];
}

export interface GraphMessage {
  readonly name?: string;
  readonly node?: readonly NodeMessage[];
  readonly initializer?: readonly TensorMessage[];
  readonly input?: readonly ValueInfoMessage[];
  readonly output?: readonly ValueInfoMessage[];
  readonly valueInfo?: readonly ValueInfoMessage[];
  readonly sparseInitializer?: readonly { readonly values?: TensorMessage }[];
}

export interface NodeMessage {
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly name?: string;
  readonly opType?: string;
  readonly domain?: string;
  readonly attribute?: readonly AttributeMessage[];
}

export interface AttributeMessage {
  readonly name?: string;
  readonly type?: number;
  readonly refAttrName?: string;
  readonly f?: number;
  readonly i?: Long;
  readonly s?: string;
  readonly t?: TensorMessage;
  readonly g?: GraphMessage;
  readonly floats?: readonly number[];
  readonly ints?: readonly Long[];
  readonly strings?: readonly string[];
}

export interface TensorMessage {
  readonly name?: string;
  readonly dims?: readonly Long[];
  readonly dataType?: number;
  readonly rawData?: Uint8Array; // a view into the file
  readonly floatData?: readonly number[];
  readonly int32Data?: readonly number[];
  readonly int64Data?: readonly Long[];
  readonly doubleData?: readonly number[];
  readonly uint64Data?: readonly Long[];
  readonly dataLocation?: number;
  readonly externalData?: readonly { readonly key?: string; readonly value?: string }[];
  readonly segment?: object;
}

export interface ValueInfoMessage {
  readonly name?: string;
  readonly type?: TypeMessage;
}

export interface TypeMessage {
  readonly tensorType?: { readonly elemType?: number; readonly shape?: { readonly dim?: readonly DimensionMessage[] } };
  readonly sequenceType?: object;
  readonly mapType?: object;
  readonly optionalType?: object;
  readonly sparseTensorType?: object;
}

export interface DimensionMessage {
  readonly dimValue?: Long;
  readonly dimParam?: string;
}

/** int64 as a number, clamped to ±(2^53 − 1). */
export function toNumber(long: Long): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(long)));
}
