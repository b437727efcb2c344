// Tables that can be sorted and copied: everything is on the page, nothing is loaded.
const MISSING = new Set(["", "–", "not estimable", "not shown", "suppressed"]);
const plain = (text) => text.replace(/\s+/g, " ").trim();
// A number begins a cell, or stands behind a sign as in "p < 0.001" and "<10".
const numberIn = (text) => parseFloat(text.replace(/[,\s]/g, "").replace("−", "-").replace(/^[^\d-]*(?=-?\d)/, ""));

// Sort items by a value, those without one last whichever way, and mark the button that was pressed.
function sortBy(button, buttons, items, valueOf, compare) {
  const isUp = button.dataset.sorted !== "up", sign = isUp ? 1 : -1;
  for (const other of buttons) {
    delete other.dataset.sorted;
    other.closest("th").removeAttribute("aria-sort");
  }
  button.dataset.sorted = isUp ? "up" : "down";
  button.closest("th").setAttribute("aria-sort", isUp ? "ascending" : "descending");
  const isMissing = (item) => MISSING.has(valueOf(item));
  return items.sort((a, b) => isMissing(a) - isMissing(b) || sign * compare(valueOf(a), valueOf(b)));
}

// A heading that spans rows gets into each of them, and the rows into one body.
function level(table) {
  for (const cell of table.querySelectorAll("tbody [rowspan]")) {
    const n = cell.rowSpan, row = cell.parentElement;
    cell.removeAttribute("rowspan");
    for (let next = row.nextElementSibling, i = 1; i < n && next; i++, next = next.nextElementSibling) next.prepend(cell.cloneNode(true));
  }
  const [first, ...others] = table.tBodies;
  for (const body of others) {
    first.append(...body.rows);
    body.remove();
  }
  return first;
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const buttons = heads.map((head, n) => {
    const button = document.createElement("button"), name = plain(head.textContent);
    button.type = "button";
    // A heading that is a link already gets its button beside it.
    if (head.querySelector("a")) {
      button.textContent = "↕";
      button.className = "sign";
      button.setAttribute("aria-label", `Sort by ${name}`);
      head.append(" ");
    } else button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const body = level(table), valueOf = (row) => plain(row.cells[n].textContent), rows = [...body.rows];
      const isNumeric = rows.every((row) => MISSING.has(valueOf(row)) || !Number.isNaN(numberIn(valueOf(row)))) &&
        rows.some((row) => /^[<+−\d]|^p /.test(valueOf(row)));
      const compare = isNumeric ? (a, b) => numberIn(a) - numberIn(b) : (a, b) => a.localeCompare(b, undefined, { numeric: true });
      body.append(...sortBy(button, buttons, rows, valueOf, compare));
    });
    return button;
  });
}

// As spreadsheets take it: a line a row, cells apart by tabs.
const asText = (table) => [...table.rows].map((row) => [...row.cells].map((cell) => plain(cell.textContent.replace("↕", ""))).join("\t")).join("\n");

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Pages opened from a disk may not use the clipboard in every browser.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

function makeCopied(table) {
  const button = document.createElement("button"), box = table.closest(".wide") ?? table;
  button.type = "button";
  button.textContent = "copy";
  button.setAttribute("aria-label", `Copy the table: ${plain(table.caption?.textContent ?? "")}`);
  button.addEventListener("click", async () => {
    await copy(asText(table));
    button.textContent = "copied";
  });
  let line = box.nextElementSibling;
  if (!line?.matches(".origin")) {
    line = document.createElement("p");
    line.className = "origin";
    box.after(line);
  }
  line.append(button);
}

for (const table of document.querySelectorAll("main table")) {
  if (table.tHead && !table.matches(".index") && !table.querySelector("tbody [colspan]")) makeSortable(table);
  makeCopied(table);
}

// A number leads to its origin.
document.addEventListener("click", (event) => {
  const told = event.target.closest("[data-row]"), origins = told?.closest("[data-origins]")?.dataset.origins;
  if (origins && !event.target.closest("a, button, summary") && !String(getSelection())) location.href = `${origins}#${told.dataset.row}`;
});
