// Where a kernel module spells addresses of its scratch page, found by comparing it with a build whose page lies elsewhere.

/** FNV-1a of the bytes, 32 bits: tells whether a list of places belongs to a module. */
export function checksum(bytes) {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Distances from one two-byte LEB128 address to the next. throws where an address has another length or the builds differ in anything else. */
export function addressPlaces(name, bytes, shifted, shift) {
  const fail = (at, why) => {
    throw new Error(`kernels: ${name}, byte ${at}: ${why}`);
  };
  if (bytes.length !== shifted.length)
    fail(0, "another scratch page changes the length: keep foldable addresses of the page at 128 or above");
  const places = [];
  let last = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === shifted[at]) continue;
    const address = (code) => (code[at] < 128 || code[at + 1] > 127 ? -1 : (code[at] & 127) | (code[at + 1] << 7));
    const [from, to] = [address(bytes), address(shifted)];
    if (from < 64 || from > 1023 || to - from !== shift) fail(at, `${from} became ${to}, not an address of the page`);
    places.push(at - last);
    last = at++;
  }
  return places;
}
