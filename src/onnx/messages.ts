/** The ONNX messages as the reader hands them over: a field that is not in the file is not in the record. */

/** An int64: a number where it is exact, else a bigint. uint64 values from 2^63 come as negative ones. */
export type Long = number | bigint;

/** int64 as a number, clamped to ±(2^53 − 1). */
export function toNumber(long: Long): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(long)));
}

export interface ModelProto {
  readonly graph?: GraphProto;
  readonly opsetImport?: readonly { readonly domain?: string; readonly version?: Long }[];
  readonly functions?: readonly { readonly name?: string; readonly domain?: string }[];
}

export interface GraphProto {
  readonly name?: string;
  readonly node?: readonly NodeProto[];
  readonly initializer?: readonly TensorProto[];
  readonly sparseInitializer?: readonly { readonly values?: TensorProto }[];
  readonly input?: readonly ValueInfoProto[];
  readonly output?: readonly ValueInfoProto[];
  readonly valueInfo?: readonly ValueInfoProto[];
}

export interface NodeProto {
  readonly name?: string;
  readonly opType?: string;
  readonly domain?: string;
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly attribute?: readonly AttributeProto[];
}

export interface AttributeProto {
  readonly name?: string;
  readonly type?: number;
  readonly refAttrName?: string;
  readonly f?: number;
  readonly i?: Long;
  readonly s?: Uint8Array;
  readonly t?: TensorProto;
  readonly g?: GraphProto;
  readonly floats?: readonly number[];
  readonly ints?: readonly Long[];
  readonly strings?: readonly Uint8Array[];
}

export interface TensorProto {
  readonly name?: string;
  readonly dims?: readonly Long[];
  readonly dataType?: number;
  readonly segment?: object;
  readonly floatData?: readonly number[];
  readonly int32Data?: readonly number[];
  readonly int64Data?: readonly Long[];
  readonly uint64Data?: readonly Long[];
  readonly doubleData?: readonly number[];
  readonly rawData?: Uint8Array;
  readonly dataLocation?: number;
  readonly externalData?: readonly { readonly key?: string; readonly value?: string }[];
}

export interface ValueInfoProto {
  readonly name?: string;
  readonly type?: {
    readonly tensorType?: { readonly elemType?: number; readonly shape?: { readonly dim?: readonly DimensionProto[] } };
    readonly otherType?: object; // sequence, map, optional or sparse tensor
  };
}

export interface DimensionProto {
  readonly dimValue?: Long;
  readonly dimParam?: string;
}
