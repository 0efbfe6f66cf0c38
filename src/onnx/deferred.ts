/** What is said of files that are broken, unusual or in parts: loaded when the first of them is read. */

type Flaws = typeof import("./flaws.ts");

let loaded: Flaws | null = null;

/** Thrown through the reader, past everything that collects issues; only withFlaws() catches it. */
const NOT_LOADED = new Error("internal: decodeOnnx met a flaw outside withFlaws");

export function flaws(): Flaws {
  if (!loaded) throw NOT_LOADED;
  return loaded;
}

export async function loadFlaws(): Promise<void> {
  loaded ??= await import("./flaws.ts");
}

/** What `read` returns; read again from the start when it turns out to need more. */
export async function withFlaws<T>(read: () => T): Promise<T> {
  try {
    return read();
  } catch (error) {
    if (error !== NOT_LOADED) throw error;
    await loadFlaws();
    return read();
  }
}
