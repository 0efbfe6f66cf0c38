// Unary functions of stored codes as tables: entry = output code of (stored − lowest storable value).
import { Q8_SIGNED } from "../../geometry";

@unmanaged
class TableArgs {
  input: usize;
  output: usize;
  table: usize;
}

/** Flips the sign bit of signed bytes, so that −128..127 indexes 0..255; nothing for unsigned ones. */
const FLIP: usize = Q8_SIGNED ? 0x80 : 0;

@inline
function index<I>(input: usize): usize {
  if (sizeof<I>() == 1) return <usize>load<u8>(input) ^ FLIP;
  return <usize>load<u16>(input);
}

@inline
function lookup<I, O>(args: usize, begin: i32, end: i32): void {
  const p = changetype<TableArgs>(args);
  const table = p.table;
  let from = p.input + <usize>begin * sizeof<I>();
  let to = p.output + <usize>begin * sizeof<O>();
  let left = end - begin;
  for (; left >= 4; left -= 4) {
    const a = load<O>(table + index<I>(from) * sizeof<O>());
    const b = load<O>(table + index<I>(from + sizeof<I>()) * sizeof<O>());
    const c = load<O>(table + index<I>(from + 2 * sizeof<I>()) * sizeof<O>());
    const d = load<O>(table + index<I>(from + 3 * sizeof<I>()) * sizeof<O>());
    store<O>(to, a);
    store<O>(to + sizeof<O>(), b);
    store<O>(to + 2 * sizeof<O>(), c);
    store<O>(to + 3 * sizeof<O>(), d);
    from += 4 * sizeof<I>();
    to += 4 * sizeof<O>();
  }
  for (; left > 0; left--) {
    store<O>(to, load<O>(table + index<I>(from) * sizeof<O>()));
    from += sizeof<I>();
    to += sizeof<O>();
  }
}

/** Scratch page: the table by stored byte. A fixed address costs no addition per element. */
const BYTES: usize = SCRATCH + 256;
/** From this many elements on, copying the table pays. */
const MANY: i32 = 128;

@inline
function byte(input: usize): u8 {
  return load<u8>(<usize>load<u8>(input), BYTES);
}

export function table_q8_q8(args: usize, begin: i32, end: i32): void {
  if (end - begin < MANY) {
    lookup<u8, u8>(args, begin, end);
    return;
  }
  const p = changetype<TableArgs>(args);
  // byte 0 is entry 0 of unsigned codes, entry 128 of signed ones
  for (let i: usize = 0; i < 256; i += 16) v128.store(BYTES + i, v128.load(p.table + (i ^ FLIP)));
  const stop = p.input + end;
  const away = p.output - p.input;
  let from = p.input + begin;
  for (; from + 8 <= stop; from += 8) {
    const to = from + away;
    store<u8>(to, byte(from));
    store<u8>(to, byte(from + 1), 1);
    store<u8>(to, byte(from + 2), 2);
    store<u8>(to, byte(from + 3), 3);
    store<u8>(to, byte(from + 4), 4);
    store<u8>(to, byte(from + 5), 5);
    store<u8>(to, byte(from + 6), 6);
    store<u8>(to, byte(from + 7), 7);
  }
  for (; from < stop; from++) store<u8>(from + away, byte(from));
}

export function table_q8_q16(args: usize, begin: i32, end: i32): void {
  lookup<u8, u16>(args, begin, end);
}

export function table_q16_q8(args: usize, begin: i32, end: i32): void {
  lookup<u16, u8>(args, begin, end);
}

export function table_q16_q16(args: usize, begin: i32, end: i32): void {
  lookup<u16, u16>(args, begin, end);
}
