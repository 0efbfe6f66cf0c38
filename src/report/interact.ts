/** What the panels do when they are used: filter, sort, open. One function without imports, also written into report files as text. */

/** Listens within `root` for the panels' filter boxes, column titles and row buttons; panels put in later are served too. */
export function attachPanels(root: HTMLElement): void {
  const tableOf = (element: Element): HTMLTableElement | null => element.closest("[data-panel]")?.querySelector("table") ?? null;

  const filter = (table: HTMLTableElement): void => {
    const panel = table.closest("[data-panel]") as HTMLElement;
    const text = (panel.querySelector("input[data-filter]") as HTMLInputElement | null)?.value.trim().toLowerCase() ?? "";
    const differing = (panel.querySelector("input[data-differing]") as HTMLInputElement | null)?.checked ?? false;
    let shown = 0;
    for (const body of Array.from(table.tBodies)) {
      const fits = (body.dataset.text ?? "").includes(text) && !(differing && body.dataset.differing === "0");
      body.hidden = !fits;
      if (fits) shown++;
    }
    const status = panel.querySelector("[data-shown]");
    if (status) status.textContent = `${shown} of ${table.tBodies.length} shown`;
  };

  const sort = (button: Element, table: HTMLTableElement): void => {
    const title = button.closest("th") as HTMLTableCellElement;
    const column = title.cellIndex;
    const order = title.getAttribute("aria-sort") === "descending" ? "ascending" : "descending";
    for (const other of Array.from(title.parentElement?.children ?? [])) other.removeAttribute("aria-sort");
    title.setAttribute("aria-sort", order);
    const key = (body: HTMLTableSectionElement): number | string => {
      const cell = body.rows[0]?.cells[column];
      return cell?.dataset.value === undefined ? (cell?.textContent ?? "") : Number(cell.dataset.value);
    };
    const compare = (a: number | string, b: number | string): number =>
      typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
    const sign = order === "ascending" ? 1 : -1;
    const bodies = Array.from(table.tBodies);
    for (const body of bodies.sort((a, b) => sign * compare(key(a), key(b)))) table.append(body);
  };

  root.addEventListener("input", (event) => {
    const box = event.target as Element;
    const table = box.matches("input[data-filter], input[data-differing]") ? tableOf(box) : null;
    if (table) filter(table);
  });
  root.addEventListener("click", (event) => {
    const button = (event.target as Element).closest("button");
    if (!button) return;
    const table = button.closest("table");
    if (table && button.dataset.sort !== undefined) sort(button, table);
    const target = button.dataset.toggle === undefined ? null : button.closest("tbody")?.rows[1];
    if (target) {
      target.hidden = !target.hidden;
      button.setAttribute("aria-expanded", String(!target.hidden));
    }
  });
}
