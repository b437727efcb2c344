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
const isText = new Set(["name", "created", "design"]);
function sort(button) {
  const key = button.dataset.key, compare = isText.has(key) ? (a, b) => a.localeCompare(b) : (a, b) => Number(a) - Number(b);
  table.append(...sortBy(button, buttons, bodies, (body) => body.dataset[key], compare));
}
for (const button of buttons) button.addEventListener("click", () => sort(button));
form.addEventListener("input", choose);
form.hidden = false;
choose();
