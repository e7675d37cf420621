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
    distances, (k) => [`${distances[k]} tokens apart`, ...tables.map(([name], i) =>
      `${name}: ${significant(curves[i][k][1], 4)} %, ${unseen[i][k]} of ${before.length} pairs at unseen angles`)].join("\n"));
}

// What the reference check measured, by its names in Swift and on the page.
const dilutionKeys = [["unscaled", "unscaled"], ["withoutFactor", "without the attention factor"], ["scaled", "with it"]];

function showDilution(figure, knobs, entropies) {
  const magnitude = attentionFactor(knobs);
  const window = targetWindow(knobs);
  const lengths = distancesTo(Math.max(window, 256)).filter((length) => length >= 128);
  const law = (factor) => lengths.map((length) => [length, expectedEntropy(length, factor)]);
  const powers = lengths.filter((length) => Number.isInteger(Math.log2(length)));
  const tabled = [...new Set([...entropies.map(({ length }) => length), ...powers, window])].sort((a, b) => a - b);
  const series = [
    ...dilutionKeys.map(([key, name], i) => ({
      name: `measured, ${name}`, points: entropies.map((entropy) => [entropy.length, entropy[key]]), isReference: i === 0,
    })),
    { name: "expected, factor 1", points: law(1), isReference: true, line: true },
    { name: `expected, factor ${significant(magnitude, 6)}`, points: law(magnitude), line: true },
  ];
  const all = series.flatMap((one) => one.points);
  figure.show([new Plot({
    x: new Axis("tokens seen", "logarithmic", [100, ...all.map(([x]) => x)]),
    y: new Axis("entropy, nats", "linear", [0, ...all.map(([, y]) => y)]), series, bands: trainedBands(knobs),
    levels: [{ value: expectedEntropy(knobs.original, 1), label: "at the trained length" }],
  })], ["tokens", ...dilutionKeys.map(([, name]) => `${name}, nats`), "expected without, nats", "expected with it, nats"],
  () => tabled.map((length) => {
    const measured = entropies.find((entropy) => entropy.length === length);
    return [String(length), ...dilutionKeys.map(([key]) => (measured ? significant(measured[key]) : "not measured")),
      significant(expectedEntropy(length, 1), 4), significant(expectedEntropy(length, magnitude), 4)];
  }),
  lengths, (k) => `${lengths[k]} tokens, expected\n${significant(expectedEntropy(lengths[k], 1), 4)} nats without the attention factor\n`
    + `${significant(expectedEntropy(lengths[k], magnitude), 4)} nats with it`);
  const last = entropies.at(-1)?.length ?? Infinity;
  document.getElementById("measured").textContent = last >= window ? "" : `Making this page measures up to ${last} tokens; `
    + "beyond stands the expectation alone. yarn-patch verify --attention full measures up to 1048576.";
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
  const stops = [...new Set(points.map(({ length }) => length))].sort((a, b) => a - b);
  const lines = series.map(({ points: own, name }) => ({ name, points: own, line: true, isUnnamed: true }));
  const plot = new Plot({
    x: new Axis("length in tokens", "logarithmic", points.map(({ length }) => length)),
    y: new Axis(measure, "linear", points.map(({ value }) => value)), series: [...series, ...lines],
  });
  // A line has the colour of its marks.
  plot.series.slice(series.length).forEach((line, i) => { line.style = plot.series[i].style; });
  figure.show([plot], ["setting", "tokens", measure],
    () => points.map(({ setting, length, value }) => [setting, String(length), String(value)]), stops,
    (k) => [`${stops[k]} tokens`, ...points.filter(({ length }) => length === stops[k])
      .map(({ setting, value }) => `${setting}: ${significant(value)}`)].join("\n"));
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
  lengths, (k) => `${lengths[k]} tokens\nstretch of the base ${significant(points[k][1])}`);
  const errors = cachedKeyErrors(knobs);
  const marks = errors.map(({ distance, relative }) => [distance, 100 * relative]);
  cache.show([new Plot({
    x: new Axis("distance in tokens", "logarithmic", [1, ...marks.map(([x]) => x)]),
    y: new Axis("error of cached keys, %", "linear", [0, 1, ...marks.map(([, y]) => y)]),
    series: [{ name: `keys cached after rotation, sequence of ${targetWindow(knobs)} tokens`, points: marks }],
  })], ["distance", "error, %"], () => marks.map(([x, y]) => [String(x), significant(y, 5)]),
  marks.map(([x]) => x), (k) => `${marks[k][0]} tokens apart\nerror ${significant(marks[k][1], 4)} %`);
}
