/** Pieces of tables that several panels have: titles that sort, a filter box, bars in cells. */
import type { ComponentChildren } from "preact";

export interface SortColumn {
  readonly title: string;
  readonly short?: string; // the title on narrow screens
  readonly hint?: string; // what the figures mean
  readonly wide?: boolean; // left out on narrow screens
  readonly text?: boolean; // words, not figures
}

/** A row of titles that sort their column when pressed. `sorted`: the column the rows are ordered by, largest first. */
export function SortTitles({ columns, sorted }: { readonly columns: readonly SortColumn[]; readonly sorted?: string }) {
  return (
    <thead>
      <tr>
        {columns.map(({ title, short, hint, wide, text }) => (
          <th
            scope="col"
            key={title}
            class={`${text ? "text" : "figure"}${wide ? " wide" : ""}`}
            {...(title === sorted ? { "aria-sort": "descending" as const } : {})}
          >
            <button type="button" data-sort="" title={hint} {...(short ? { "aria-label": title } : {})}>
              {short ? (
                <>
                  <span class="long">{title}</span>
                  <span class="short" aria-hidden="true">
                    {short}
                  </span>
                </>
              ) : (
                title
              )}
            </button>
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** A figure that sorts by its value. */
export function Figure({ value, text, wide, mark }: { value: number | null; text?: string; wide?: boolean; mark?: string | undefined }) {
  const shown = text ?? (value === null ? "–" : String(value));
  return (
    <td class={`figure${wide ? " wide" : ""}${mark ? ` ${mark}` : ""}`} data-value={value ?? -1}>
      {shown}
    </td>
  );
}

/** The box that filters a panel's rows by text. */
export function FilterBox({ label, rows, children }: { label: string; rows: number; children?: ComponentChildren }) {
  return (
    <div class="filter">
      <label>
        {label} <input type="search" data-filter="" autocomplete="off" spellcheck={false} />
      </label>
      {children}
      <output data-shown="" aria-live="polite">
        {`${rows} of ${rows} shown`}
      </output>
    </div>
  );
}

/** A table that scrolls sideways on its own where the screen is narrow. */
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}

/** A share as a bar, 0 … 1. Decoration: the figure stands beside it. */
export function Bar({ share }: { share: number }) {
  return (
    <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width="100" height="10" />
      <rect class="filled" width={(100 * Math.min(1, Math.max(0, share))).toFixed(2)} height="10" />
    </svg>
  );
}
