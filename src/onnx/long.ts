/** Gives protobufjs its 64-bit integer type; imported before the ONNX message classes, which read it when they load. */
import LongClass from "long";
import protobuf from "protobufjs/minimal.js";

protobuf.util.Long = LongClass as unknown as typeof protobuf.util.Long;
protobuf.configure();

/** A decoded 64-bit integer. */
export type Long = number | { readonly low: number; readonly high: number; readonly unsigned: boolean };

/** int64 as a number, clamped to ±(2^53 − 1). */
export function toNumber(long: Long): number {
  const value = typeof long === "number" ? long : (long.unsigned ? long.high >>> 0 : long.high) * 2 ** 32 + (long.low >>> 0);
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
}

export function toBigInt(long: Long): bigint {
  if (typeof long === "number") return BigInt(long);
  return (BigInt(long.unsigned ? long.high >>> 0 : long.high) << 32n) | BigInt(long.low >>> 0);
}
