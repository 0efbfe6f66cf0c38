/** Protobuf fields as bytes: the few kinds ONNX files are made of. */

const encoder = new TextEncoder();

export function longField(field: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(BigInt(field * 8)), ...varint(BigInt(value))]);
}

export function floatField(field: number, value: number): Uint8Array {
  return join(varint(BigInt(field * 8 + 5)), [float32Bytes([value])]);
}

export function textField(field: number, text: string): Uint8Array {
  return bytesField(field, encoder.encode(text));
}

export function bytesField(field: number, bytes: Uint8Array): Uint8Array {
  return messageField(field, [bytes]);
}

export function packedFloats(field: number, values: readonly number[]): Uint8Array {
  return bytesField(field, float32Bytes(values));
}

export function packedLongs(field: number, values: readonly number[]): Uint8Array {
  return bytesField(field, Uint8Array.from(values.flatMap((value) => varint(BigInt(value)))));
}

export function messageField(field: number, parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  return join([...varint(BigInt(field * 8 + 2)), ...varint(BigInt(size))], parts);
}

/** Little-endian base 128; negative numbers as 64-bit two's complement, ten bytes. */
function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

function float32Bytes(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setFloat32(4 * i, value, true);
  });
  return bytes;
}

function join(head: readonly number[], parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(head.length + parts.reduce((sum, part) => sum + part.length, 0));
  bytes.set(head);
  let at = head.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
