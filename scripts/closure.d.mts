/** `file` and every file of `folder` that it imports statically; see closure.mjs. */
export function closure(folder: string, file: string): string[];
