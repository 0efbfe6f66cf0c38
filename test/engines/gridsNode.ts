/** The grids as a program: prints one JSON line. Arguments: file names to run (all without any); --list prints the names instead. */
import { gridFiles, runGrids } from "./grids.ts";

const wanted = process.argv.slice(2);
console.log(JSON.stringify(wanted[0] === "--list" ? gridFiles : await runGrids(wanted)));
