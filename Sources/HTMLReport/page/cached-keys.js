// Keys that were turned and cached while the sequence was shorter, under dynamic scaling: as CachedKeys in Swift.
function cachedKeyErrors(knobs) {
  const length = targetWindow(knobs);
  const trained = knobs.original;
  if (length <= trained || problems(knobs, "dynamic").length) return [];
  const table = (tokens) => inverseFrequencies({ ...knobs, length: tokens }, "dynamic");
  const now = table(length);
  const distances = new Set([length - trained, length - 1]);
  for (let power = 1; power < length; power *= 2) {
    for (const step of [power, power + Math.floor(power / 2)]) {
      if (step < length) distances.add(step);
      // Counted from the first key as well.
      if (step < trained) distances.add(length - 1 - step);
    }
  }
  return [...distances].filter((distance) => distance > 0).sort((a, b) => a - b).map((distance) => {
    const position = length - 1 - distance;
    return { distance, relative: scoreChange(table(position + 1), now, 1, position) };
  });
}
