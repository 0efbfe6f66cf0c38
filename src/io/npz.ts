/** NumPy archives: a zip of .npy members. Member names are taken verbatim without the .npy ending and may contain "/". */
import { unzipSync, zipSync } from "fflate";
import { ModelError, modelError } from "../errors.ts";
import { type NpyArray, readNpy, writeNpy } from "./npy.ts";

const MAX_BYTES = 2 ** 32;
const MAX_DEFLATE_RATIO = 1032;

/** The arrays of a .npz file by member name, in the file's order. Members that are no .npy are left out.
 *  throws ModelError "npz/malformed", "npz/too-large", "npz/duplicate" and what readNpy throws. */
export function readNpz(bytes: Uint8Array, name = "archive"): Map<string, NpyArray> {
  const members = unzip(bytes, name);
  const arrays = new Map<string, NpyArray>();
  for (const [member, content] of members) arrays.set(member.slice(0, -4), readNpy(content, `${name}: ${member}`));
  return arrays;
}

function unzip(bytes: Uint8Array, name: string): [string, Uint8Array][] {
  if (!(bytes[0] === 0x50 && bytes[1] === 0x4b)) throw malformed(name, "it does not begin with the zip signature");
  let total = 0;
  const seen = new Set<string>();
  try {
    const content = unzipSync(bytes, {
      filter: (member) => {
        if (!member.name.endsWith(".npy")) return false;
        if (seen.has(member.name)) throw modelError("npz/duplicate", `${name}: member '${member.name}' is there twice, expected once.`);
        seen.add(member.name);
        total += member.originalSize;
        if (total > MAX_BYTES || member.originalSize > MAX_DEFLATE_RATIO * (member.size + 1)) {
          throw modelError(
            "npz/too-large",
            `${name}: member '${member.name}' claims ${member.originalSize} bytes from ${member.size}, more than is read.`,
          );
        }
        return true;
      },
    });
    return Object.entries(content);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw malformed(name, error instanceof Error ? error.message : String(error));
  }
}

/** The bytes of a .npz file; deflated unless `compress` is false. Always the same bytes for the same arrays. */
export function writeNpz(arrays: ReadonlyMap<string, NpyArray>, { compress = true }: { readonly compress?: boolean } = {}): Uint8Array {
  const members: Record<string, Uint8Array> = Object.create(null);
  for (const [name, array] of arrays) members[`${name}.npy`] = writeNpy(array);
  return zipSync(members, { level: compress ? 6 : 0, mtime: "1980-01-01T00:00:00" });
}

function malformed(name: string, found: string): Error {
  return modelError("npz/malformed", `${name}: ${found}, expected a NumPy .npz file. Save it with numpy.savez.`);
}
