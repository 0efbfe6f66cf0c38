/** BitShift, BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot: integers as two's complement. Source: BitShift-11, Bitwise…-18. */

import { type ElementType, integerType } from "../tensor/dtype.ts";
import { broadcastOffsets } from "./arrayMath.ts";
import { integers } from "./arrays.ts";
import { attributeError, noAttrs, oneOf, readAttrs } from "./attributes.ts";
import { broadcastAll, numbersAt, required, requireInteger, requireSameTypes, typeError } from "./checks.ts";
import { defineOp, type Numbers, type OpDef } from "./op.ts";
import { erased } from "./registry.ts";

type Bits = (a: bigint, b: bigint, bits: number) => bigint;

/** A result modulo 2^bits, read as the type reads it. */
function wrapped(value: bigint, { bits, signed }: { bits: number; signed: boolean }): number {
  return Number(signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value));
}

function combine(inputs: readonly (Numbers | null)[], type: ElementType, f: Bits): Numbers {
  const [a, b] = [numbersAt(inputs, 0), numbersAt(inputs, 1)];
  const out = integers(broadcastAll([a, b].map(({ dims }) => ({ type, dims }))));
  const [aAt, bAt] = [broadcastOffsets(a.dims, out.dims), broadcastOffsets(b.dims, out.dims)];
  const grid = integerType(type) ?? { bits: 64, signed: true };
  for (let i = 0; i < out.data.length; i++) {
    const [x, y] = [a.data[aAt ? (aAt[i] as number) : i] as number, b.data[bAt ? (bAt[i] as number) : i] as number];
    out.data[i] = wrapped(f(BigInt(x), BigInt(y), grid.bits), grid);
  }
  return out;
}

function definePair<A>(type: string, since: number, parse: OpDef<A>["parse"], f: (attrs: A) => Bits, unsigned: boolean): OpDef {
  return erased(
    defineOp<A>({
      type,
      since,
      arity: { inputs: [2, 2], outputs: [1, 1] },
      parse,
      infer(inputs) {
        const both = [required(inputs, 0), required(inputs, 1)] as const;
        requireSameTypes(both);
        requireInteger(both[0], 0);
        if (unsigned && integerType(both[0].type)?.signed) throw typeError(`input 0 has type ${both[0].type}, expected an unsigned type`);
        return [{ type: both[0].type, dims: broadcastAll(both) }];
      },
      float: (inputs, attrs, _precision, types) => [combine(inputs, types?.[0] ?? "int64", f(attrs))],
      traits: {},
    }),
  );
}

const bitwiseNot = defineOp<object>({
  type: "BitwiseNot",
  since: 18,
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse: noAttrs,
  infer(inputs) {
    const x = required(inputs, 0);
    requireInteger(x, 0);
    return [{ type: x.type, dims: x.dims }];
  },
  float(inputs, _attrs, _precision, types) {
    const x = numbersAt(inputs, 0);
    const grid = integerType(types?.[0] ?? "int64") ?? { bits: 64, signed: true };
    return [
      integers(
        x.dims,
        Float64Array.from(x.data, (value) => wrapped(~BigInt(value), grid)),
      ),
    ];
  },
  traits: {},
});

export const BITS: readonly OpDef[] = [
  definePair(
    "BitShift",
    11,
    (attrs) => {
      const { direction } = readAttrs(attrs, { direction: oneOf("none", "LEFT", "RIGHT") });
      if (direction === "none") throw attributeError("direction", "is missing, expected LEFT or RIGHT");
      return { direction };
    },
    ({ direction }) =>
      (a, b, bits) =>
        b >= BigInt(bits) ? 0n : direction === "LEFT" ? a << b : a >> b,
    true,
  ),
  definePair("BitwiseAnd", 18, noAttrs, () => (a, b) => a & b, false),
  definePair("BitwiseOr", 18, noAttrs, () => (a, b) => a | b, false),
  definePair("BitwiseXor", 18, noAttrs, () => (a, b) => a ^ b, false),
  erased(bitwiseNot),
];
