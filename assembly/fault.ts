// What a kernel reports when numbers computed in the run are out of range: the address of its args, in a word that the runtime clears and reads.

const FAULT: usize = 16; // src/kernels/fault.ts

@inline
export function fault(args: usize): void {
  store<usize>(FAULT, args);
}
