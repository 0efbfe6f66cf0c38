/** Where kernels report numbers out of range. */

/** The word that holds the address of the args of a step whose computed indices were out of range (assembly/fault.ts); 0: none. */
export const FAULT_ADDRESS = 16;
