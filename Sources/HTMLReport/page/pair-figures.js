// What each pair of a head does: as PairFigures in Swift.

// Methods of the spectrum: name on the page, name in the mathematics.
const methods = [
  ["unscaled", "none"], ["position interpolation", "linear"], ["NTK-aware", "ntk"], ["NTK-by-parts", "by rotations"],
  ["YaRN", "yarn"], ["dynamic", "dynamic"],
];

function regionBands(ramp) {
  const names = ["kept", "blended", "interpolated"];
  const bands = [];
  ramp.forEach((share, pair) => {
    const style = names.indexOf(regionOf(share));
    const last = bands.at(-1);
    if (last?.style === style) last.to = pair + 0.5;
    else bands.push({ style, from: pair - 0.5, to: pair + 0.5,
      name: `${ramp.filter((other) => regionOf(other) === regionOf(share)).length} ${regionOf(share)}` });
  });
  return bands;
}

function pairAxis(count) { return new Axis("pair", "linear", [0, Math.max(count - 1, 0)], 0.5); }

function showBands(figure, knobs, before) {
  const after = inverseFrequencies(knobs, "yarn");
  const ramp = after.length ? rampMask(knobs) : [];
  const lengths = [{ value: knobs.original, label: `trained ${knobs.original} tokens` },
    { value: targetWindow(knobs), label: `target ${targetWindow(knobs)} tokens` }];
  const waves = [before, after].map((table) => table.map(wavelength));
  const x = pairAxis(before.length);
  const bands = regionBands(ramp);
  const verticals = after.length ? [["betaFast", "β fast"], ["betaSlow", "β slow"]].map(([name, label]) => ({
    name, value: correctionIndex(knobs[name], knobs), label: `${label} ${significant(knobs[name], 4)}`,
  })) : [];
  const wavelengths = new Plot({
    title: "Tokens per turn", x, bands, verticals, levels: lengths,
    y: new Axis("tokens per turn", "logarithmic", [...waves[0], ...waves[1], knobs.original, targetWindow(knobs)]),
    series: [{ name: "unscaled", points: waves[0].map((y, i) => [i, y]), isReference: true, line: before.length > 128 },
      { name: `YaRN ×${significant(knobs.factor)}`, points: waves[1].map((y, i) => [i, y]), line: before.length > 128 }],
  });
  const share = new Plot({
    title: "The ramp", x, bands, verticals, y: new Axis("interpolated share, %", "linear", [0, 100]),
    series: [{ name: "interpolated share", points: ramp.map((y, i) => [i, 100 * y]), line: true }],
  });
  figure.show([wavelengths, share],
    ["pair", "tokens per turn", "scaled", "turns in the trained window", "interpolated share", "region"],
    () => before.map((w, i) => [String(i), significant(waves[0][i]), after.length ? significant(waves[1][i]) : "",
      significant(rotations(w, knobs.original)), ramp.length ? significant(ramp[i]) : "", ramp.length ? regionOf(ramp[i]) : ""]),
    before.map((_, i) => i),
    (i) => [`${pairText(i, knobs)}${ramp.length ? `, ${regionOf(ramp[i])}` : ""}`, `unscaled: ${turning(before[i], knobs)}`,
      ...ramp.length ? [`YaRN: ${turning(after[i], knobs, before[i])}`] : []].join("\n"));
}

function pairText(pair, knobs) {
  return `pair ${pair} of ${knobs.rotaryDimension / 2}; turns are within the trained ${knobs.original} tokens`;
}

// A pair's frequency in words.
function turning(frequency, knobs, unscaled) {
  return `${significant(wavelength(frequency), 4)} tokens a turn, ${significant(rotations(frequency, knobs.original), 4)} turns`
    + (unscaled === undefined ? "" : `, divisor ${significant(unscaled / frequency)}`);
}

// The lines of the betas follow a pointer; the sliders of the knobs do the same from the keyboard.
function dragBetas(figure, knobs) {
  let name = null;
  const place = (event) => {
    const plot = figure.plotAt(event);
    const scale = figure.svg.viewBox.baseVal.width / figure.svg.getBoundingClientRect().width;
    const left = (event.clientX - figure.svg.getBoundingClientRect().left) * scale;
    return { plot, left };
  };
  figure.drawing.addEventListener("pointerdown", (event) => {
    const { plot, left } = place(event);
    const nearest = [...plot.verticals].sort((a, b) =>
      Math.abs(plot.placeX(a.value) - left) - Math.abs(plot.placeX(b.value) - left))[0];
    if (!nearest || Math.abs(plot.placeX(nearest.value) - left) > 14) return;
    name = nearest.name;
    figure.drawing.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  figure.drawing.addEventListener("pointermove", (event) => {
    if (!name) return;
    const { plot, left } = place(event);
    const pair = plot.x.value(Math.min(Math.max((left - plot.area.x) / plot.area.width, 0), 1));
    const { values } = knobs;
    const beta = values.original * Math.pow(values.base, -2 * pair / values.rotaryDimension) / (2 * Math.PI);
    knobs.set({ [name]: Number(beta.toPrecision(4)) });
  });
  for (const end of ["pointerup", "pointercancel"]) figure.drawing.addEventListener(end, () => { name = null; });
}

// Declared: a table of the files that no knob can say, beside the methods.
function showSpectrum(figure, knobs, before, declared) {
  const tables = methods.map(([name, method]) => ({ name, table: inverseFrequencies(knobs, method) }));
  if (declared?.table.length === before.length) tables.push(declared);
  const x = pairAxis(before.length);
  const plot = (title, scale, value) => {
    const series = tables.filter(({ table }) => table.length).map(({ name, table }) => ({
      name, points: table.map((w, i) => [i, value(w, i)]), isReference: name === "unscaled", line: table.length > 128,
    }));
    const values = series.flatMap((one) => one.points.map(([, y]) => y));
    // A large factor of one method would leave the others no room.
    const isWide = Math.max(...values) >= 20 && Math.min(...values) > 0;
    return new Plot({ title, x, y: new Axis(title, isWide ? "logarithmic" : scale, values), series });
  };
  figure.show([plot("radians per token", "logarithmic", (w) => w),
    plot("divisor of the unscaled frequency", "linear", (w, i) => before[i] / w)],
    ["pair", ...tables.map(({ name }) => name), ...tables.slice(1).map(({ name }) => `divisor, ${name}`)],
    () => before.map((w, i) => [String(i), ...tables.map(({ table }) => (table.length ? String(table[i]) : "no table")),
      ...tables.slice(1).map(({ table }) => (table.length ? significant(w / table[i]) : ""))]),
    before.map((_, i) => i),
    (i) => [pairText(i, knobs), ...tables.filter(({ table }) => table.length).map(({ name, table }, index) =>
      `${name}: ${turning(table[i], knobs, index ? before[i] : undefined)}`)].join("\n"));
}

// The table of the chosen setting, with all digits.
function showTable(knobs, before, chosen) {
  const details = document.getElementById("table");
  const words = problems(knobs);
  document.getElementById("problems").textContent = words.join("; ");
  document.getElementById("factor-text").textContent = String(attentionFactor(knobs));
  if (!details.open) return;
  details.querySelector("tbody").replaceChildren(...chosen.map((w, i) => html("tr", {},
    [String(i), String(w), significant(wavelength(w)), significant(rotations(w, knobs.original)), significant(before[i] / w)]
      .map((cell) => html("td", {}, [cell])))));
}
