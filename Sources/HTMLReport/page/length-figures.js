// What follows from a setting by distance and by length: as LengthFigures in Swift.

function trainedBands(knobs) {
  const window = targetWindow(knobs);
  const bands = [{ name: `trained, ${knobs.original} tokens`, from: 1, to: knobs.original, style: 0 }];
  if (window > knobs.original) bands.push({ name: `beyond, up to ${window} tokens`, from: knobs.original, to: window, style: 1 });
  return bands;
}

// Eight to each doubling.
function distancesTo(limit) {
  const distances = new Set([limit]);
  for (let power = 1; power <= limit; power *= 2)
    for (let i = 0; i < 8; i += 1) distances.add(power + Math.floor(i * power / 8));
  return [...distances].filter((distance) => distance > 0 && distance <= limit).sort((a, b) => a - b);
}

// Pairs whose angle at a distance is one that training has not shown.
function unseenPairs(table, before, knobs, distance) {
  return table.filter((w, i) => {
    const seen = knobs.original * before[i];
    return seen < 2 * Math.PI && distance * w > seen * (1 + 1e-9);
  }).length;
}

function showDecay(figure, knobs, before, chosen, negatives) {
  const distances = distancesTo(Math.max(targetWindow(knobs) - 1, 1));
  const curve = (table) => distances.map((distance) => [distance, 100 * similarity(table, distance) / table.length]);
  const tables = [["unscaled", before], ["as set", chosen]].filter(([, table]) => table.length);
  const curves = tables.map(([, table]) => curve(table));
  const unseen = tables.map(([, table]) => distances.map((distance) => unseenPairs(table, before, knobs, distance)));
  const series = tables.map(([name], i) => ({ name, points: curves[i], isReference: name === "unscaled", line: true }));
  // Where some pair is at an angle that training has not shown.
  tables.forEach(([name], i) => series.push({
    name: `${name}: some pair at an angle never seen`, points: curves[i].filter((_, k) => unseen[i][k]),
  }));
  const plot = new Plot({
    x: new Axis("distance in tokens", "logarithmic", [1, ...distances]),
    y: new Axis("similarity of an equal key, %", "linear", [0, ...curves.flat().map(([, y]) => y)]),
    series, bands: trainedBands(knobs),
    verticals: Object.entries(negatives).filter(([, at]) => at !== null)
      .map(([name, value]) => ({ value, label: `first negative, ${name}: ${value}` })),
  });
  figure.show([plot], ["distance", ...tables.flatMap(([name]) => [`${name}, %`, `${name}, pairs at unseen angles`])],
    () => distances.map((distance, k) => [String(distance), ...tables.flatMap((_, i) => [significant(curves[i][k][1], 5), String(unseen[i][k])])]),
    (value) => {
      const k = distances.findLastIndex((distance) => distance <= value);
      return k < 0 ? "" : `${distances[k]} tokens: ` + tables.map(([name], i) =>
        `${name} ${significant(curves[i][k][1], 3)} %, ${unseen[i][k]} pairs at unseen angles`).join("; ");
    });
}

function showDilution(figure, knobs, entropies) {
  const magnitude = attentionFactor(knobs);
  const window = targetWindow(knobs);
  const lengths = distancesTo(Math.max(window, 256)).filter((length) => length >= 128);
  const law = (factor) => lengths.map((length) => [length, expectedEntropy(length, factor)]);
  const points = (key) => entropies.map((entropy) => [entropy.length, entropy[key]]);
  const series = [
    { name: "measured, unscaled", points: points("unscaled"), isReference: true },
    { name: "measured, without the attention factor", points: points("withoutFactor") },
    { name: "measured, with it", points: points("scaled") },
    { name: "expected, factor 1", points: law(1), isReference: true, line: true },
    { name: `expected, factor ${significant(magnitude, 6)}`, points: law(magnitude), line: true },
  ];
  const all = series.flatMap((one) => one.points);
  figure.show([new Plot({
    x: new Axis("tokens seen", "logarithmic", [100, ...all.map(([x]) => x)]),
    y: new Axis("entropy, nats", "linear", [0, ...all.map(([, y]) => y)]), series, bands: trainedBands(knobs),
    levels: [{ value: expectedEntropy(knobs.original, 1), label: "at the trained length" }],
  })], ["tokens", "unscaled, nats", "without the attention factor, nats", "with it, nats"],
  () => entropies.map((entropy) => [String(entropy.length), ...["unscaled", "withoutFactor", "scaled"].map((key) => significant(entropy[key]))]),
  (value) => `${Math.round(value)} tokens: ${significant(expectedEntropy(value, 1), 4)} nats, `
    + `${significant(expectedEntropy(value, magnitude), 4)} with the attention factor`);
  document.getElementById("temperature").textContent = `Here the factor is ${significant(magnitude, 8)}: logits are multiplied by `
    + `${significant(magnitude * magnitude, 8)}, a temperature of t = ${significant(1 / (magnitude * magnitude), 8)}.`;
}

function showSeries(figure, points, measure) {
  if (!points.length) return;
  const names = [...new Set(points.map(({ setting }) => setting))];
  const series = names.flatMap((name) => {
    const own = points.filter(({ setting }) => setting === name).map(({ length, value }) => [length, value]);
    return [{ name, points: own }];
  });
  const lines = series.map(({ points: own, name }) => ({ name, points: own, line: true, isUnnamed: true }));
  const plot = new Plot({
    x: new Axis("length in tokens", "logarithmic", points.map(({ length }) => length)),
    y: new Axis(measure, "linear", points.map(({ value }) => value)), series: [...series, ...lines],
  });
  // A line has the colour of its marks.
  plot.series.slice(series.length).forEach((line, i) => { line.style = plot.series[i].style; });
  figure.show([plot], ["setting", "tokens", measure],
    () => points.map(({ setting, length, value }) => [setting, String(length), String(value)]));
}

function showDynamic(figure, cache, knobs) {
  const isUsable = !problems(knobs, "dynamic").length;
  const lengths = isUsable ? distancesTo(2 * Math.max(targetWindow(knobs), knobs.original)).filter((length) => length >= knobs.original / 4) : [];
  const stretch = (length) => Math.max(length, knobs.original) / knobs.original * knobs.factor - (knobs.factor - 1);
  const points = lengths.map((length) => [length, stretch(length)]);
  figure.show([new Plot({
    x: new Axis("tokens seen", "logarithmic", lengths), y: new Axis("stretch of the base", "linear", [0, ...points.map(([, y]) => y)]),
    series: [{ name: `dynamic, factor ${significant(knobs.factor)}`, points, line: true }],
    verticals: isUsable ? [{ value: knobs.original + 1, label: `keys go stale from ${knobs.original + 1} tokens on` }] : [],
  })], ["tokens", "stretch"], () => points.map(([x, y]) => [String(x), significant(y)]),
  (value) => `${Math.round(value)} tokens: stretch ${significant(stretch(value), 4)}`);
  const errors = cachedKeyErrors(knobs);
  const marks = errors.map(({ distance, relative }) => [distance, 100 * relative]);
  cache.show([new Plot({
    x: new Axis("distance in tokens", "logarithmic", [1, ...marks.map(([x]) => x)]),
    y: new Axis("error of cached keys, %", "linear", [0, 1, ...marks.map(([, y]) => y)]),
    series: [{ name: `keys cached after rotation, sequence of ${targetWindow(knobs)} tokens`, points: marks }],
  })], ["distance", "error, %"], () => marks.map(([x, y]) => [String(x), significant(y, 5)]));
}
