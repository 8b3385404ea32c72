"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const valueOf = (row, at) => {
    const cell = row.cells[at];
    return "sort" in cell.dataset ? Number(cell.dataset.sort) : cell.textContent.trim();
  };
  const compare = (one, other) => {
    const empty = [one, other].map((value) => value === "" || value === "—");
    if (empty[0] || empty[1]) return empty[0] === empty[1] ? 0 : empty[0] ? Infinity : -Infinity;
    if (typeof one === "number" && typeof other === "number") return one - other;
    return String(one).localeCompare(String(other), "en", { numeric: true });
  };
  const sort = (at) => {
    const falling = heads[at].getAttribute("aria-sort") === "ascending";
    const rows = [...body.rows].map((row) => [valueOf(row, at), row]);
    rows.sort(([one], [other]) => {
      const order = compare(one, other);
      return Math.abs(order) === Infinity ? Math.sign(order) : falling ? -order : order;
    });
    heads.forEach((head, place) => {
      head.setAttribute("aria-sort", place !== at ? "none" : falling ? "descending" : "ascending");
    });
    body.append(...rows.map(([, row]) => row));
  };
  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(at));
    head.setAttribute("aria-sort", "none");
    head.replaceChildren(button);
  });
}
