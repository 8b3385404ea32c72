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
for (const map of document.querySelectorAll("svg.tiles")) {
  const tiles = [...map.querySelectorAll(".tile")];
  const readout = document.createElement("p");
  readout.className = "readout";
  readout.textContent = "Point at a tile, or go from one to the next with the arrow keys.";
  map.closest("figure").append(readout);
  const tell = (tile) => { readout.textContent = tile.getAttribute("aria-label"); };
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };
  tiles.forEach((tile, at) => {
    tile.setAttribute("tabindex", at ? "-1" : "0");
    tile.addEventListener("mouseenter", () => tell(tile));
    tile.addEventListener("focus", () => tell(tile));
    tile.addEventListener("keydown", (event) => {
      if (!(event.key in steps)) return;
      event.preventDefault();
      const other = tiles[Math.max(0, Math.min(tiles.length - 1, at + steps[event.key]))];
      tile.setAttribute("tabindex", "-1");
      other.setAttribute("tabindex", "0");
      other.focus();
    });
  });
}
