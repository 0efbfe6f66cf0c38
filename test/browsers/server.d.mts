/** What server.mjs exports. */
export const MODES: Readonly<Record<string, { readonly headers: Readonly<Record<string, string>> }>>;
export function serve(mounts: Readonly<Record<string, string>>): Promise<{
  readonly origin: string;
  result(id: string): Promise<unknown>;
  close(): void;
}>;
