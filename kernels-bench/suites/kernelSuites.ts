/** The suites that are bundled from the sources. */
export { kernels } from "./kernels.ts";
export { scaling } from "./scaling.ts";
