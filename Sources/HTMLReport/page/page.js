// The page: data in, controls bound, everything drawn anew once a frame while something changes.
const data = JSON.parse(document.getElementById("data").textContent);
const figures = Object.fromEntries(["bands", "spectrum", "decay", "dilution", "series", "dynamic", "cache"]
  .map((name) => [name, new PageFigure(`${name}-figure`)]));
// LongRoPE, Llama 3's scaling and the like: shown beside the methods, as the files state it.
const declared = data.beside && { name: data.beside, table: data.declared[0].inverseFrequencies };
let waiting = false;
let search = 0;

function update() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; render(); });
}

function render() {
  const start = performance.now();
  const { values } = knobs;
  const before = inverseFrequencies(values, "none");
  const chosen = inverseFrequencies(values);
  showTable(values, before, chosen);
  wordOrder.show(before);
  dials.show(values, before, chosen);
  showBands(figures.bands, values, before);
  showSpectrum(figures.spectrum, values, before, declared);
  showDilution(figures.dilution, values, data.entropies);
  showDecay(figures.decay, values, before, chosen, { unscaled: null, "as set": null });
  showDynamic(figures.dynamic, figures.cache, values);
  showSideBySide(values);
  const { spelling } = data;
  showCommand(patchCommand(values, knobs.presets[0].knobs, data.model));
  const template = spelling.templates[values.method];
  document.getElementById("members").textContent = configText(values, template);
  document.getElementById("removed").textContent = template.removed.length ? `To be taken out: ${template.removed.join(", ")}.` : "";
  document.getElementById("setting").textContent = settingText(values);
  document.getElementById("keys").textContent = ggufText(values, spelling.gguf, spelling.readsBetas);
  document.body.dataset.milliseconds = performance.now() - start;
  findNegatives(values, before, chosen);
}

// The first negative distances, beside the drawing and for as long as nothing else changes.
function findNegatives(values, before, chosen) {
  search += 1;
  const own = search;
  const limit = Math.min(targetWindow(values) - 1, Math.floor(2 ** 26 / Math.max(before.length, 1)));
  const searches = [["unscaled", before], ["as set", chosen]].filter(([, table]) => table.length)
    .map(([name, table]) => ({ name, steps: firstNegativeDistance(table, limit) }));
  const found = { unscaled: null, "as set": null };
  document.body.dataset.searching = "yes";
  const work = () => {
    if (own !== search) return;
    const start = performance.now();
    while (searches.length && performance.now() - start < 6) {
      const step = searches[0].steps.next();
      if (step.done) found[searches.shift().name] = step.value;
    }
    if (searches.length) return void setTimeout(work);
    document.body.dataset.searching = "no";
    document.getElementById("negative").textContent = ["unscaled", "as set"].map((name) =>
      `${name}: ${found[name] === null ? `not negative within ${limit} tokens` : `first negative at distance ${found[name]}`}`).join("; ") + ".";
    showDecay(figures.decay, values, before, chosen, found);
  };
  setTimeout(work);
}

const knobs = new Knobs(data, update);
const dials = new Dials(() => dials.show(knobs.values, inverseFrequencies(knobs.values, "none"), inverseFrequencies(knobs.values)));
dragBetas(figures.bands, knobs);
showSeries(figures.series, data.series, data.measure);
document.getElementById("table").addEventListener("toggle", update);
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const node = document.getElementById(button.dataset.copy);
    try { await navigator.clipboard.writeText(node.textContent); button.textContent = "Copied"; } catch {
      getSelection().selectAllChildren(node);
      button.textContent = "Selected";
    }
  });
}
watchWidth(() => {
  update();
  showSeries(figures.series, data.series, data.measure);
});
// Paper shows every table.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const details of opened) details.open = true;
  for (const figure of Object.values(figures)) figure.fill();
  render();
});
addEventListener("afterprint", () => { for (const details of opened) details.open = false; });
document.documentElement.classList.add("live");
render();
