/** Which locations of external data files are accepted. */

/** Why `location` is no plain relative path inside a folder; undefined when it is one. Judged alike on every system. */
export function pathFlaw(location: string): string | undefined {
  if (location.includes("\0")) return "contains a NUL character";
  if (/^[/\\]/.test(location) || /^[A-Za-z]:/.test(location)) return "is absolute";
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(location)) return "is a URL";
  const parts = location.split(/[/\\]/);
  if (parts.includes("..")) return "leaves the folder by '..'";
  if (parts.every((part) => part === "" || part === ".")) return "names no file";
  return undefined;
}
