/** Which build a kernel module is: what scripts/build-kernels.mjs wrote into its custom section "abi", eight bytes of a hash of all before it. */

const SECTION = "abi";

/** Sixteen hexadecimal digits; undefined for a module without the section. */
export function buildOf(module: WebAssembly.Module): string | undefined {
  const [section] = WebAssembly.Module.customSections(module, SECTION);
  return section && digits(new Uint8Array(section));
}

/** The same of a module's bytes, which this engine may not be able to compile: the section is the last. */
export function buildOfBytes(bytes: Uint8Array): string | undefined {
  const name = bytes.subarray(-8 - SECTION.length, -8);
  return String.fromCharCode(...name) === SECTION ? digits(bytes.subarray(-8)) : undefined;
}

function digits(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
