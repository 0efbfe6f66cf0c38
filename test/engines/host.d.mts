/** Types of the files of the repository as Node reads them. */
import type { Host } from "./checks.mjs";

export declare const nodeHost: Host;
