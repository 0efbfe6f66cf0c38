/** What is bundled from the sources: the suites that time kernels, and the peak probe. */
export { peakGops } from "../timing.ts";
export { kernels } from "./kernels.ts";
export { scaling } from "./scaling.ts";
