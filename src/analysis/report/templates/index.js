// Search, filter and sort the studies: everything is on the page, nothing is loaded.
const form = document.getElementById("choose"), table = document.getElementById("studies");
const bodies = [...table.tBodies], told = document.getElementById("told");
const buttons = table.tHead.querySelectorAll("button");
function choose() {
  const words = form.words.value.trim().toLowerCase(), verdict = form.verdict.value && ":" + form.verdict.value;
  let n = 0;
  for (const body of bodies) {
    const { text, design, verdicts, failed } = body.dataset;
    const shown = text.includes(words) && design.includes(form.design.value) &&
      (!verdict || verdicts.split(" ").some((one) => one.endsWith(verdict))) && (!form.failed.checked || failed === "yes");
    body.hidden = !shown;
    n += shown;
  }
  told.textContent = `${n} of ${bodies.length} studies`;
}
function sort(button) {
  const key = button.dataset.key, isUp = button.dataset.sorted !== "up", sign = isUp ? 1 : -1;
  for (const other of buttons) {
    delete other.dataset.sorted;
    other.closest("th").removeAttribute("aria-sort");
  }
  button.dataset.sorted = isUp ? "up" : "down";
  button.closest("th").setAttribute("aria-sort", isUp ? "ascending" : "descending");
  const value = (body) => body.dataset[key];
  const compare = (a, b) => key === "name" || key === "created" || key === "design"
    ? value(a).localeCompare(value(b)) : Number(value(a)) - Number(value(b));
  // Studies without a value stand last, whichever way the others are sorted.
  bodies.sort((a, b) => (value(a) === "") - (value(b) === "") || sign * compare(a, b));
  table.append(...bodies);
}
for (const button of buttons) button.addEventListener("click", () => sort(button));
form.addEventListener("input", choose);
form.hidden = false;
choose();
