// Keys that were turned and cached while the sequence was shorter, under dynamic scaling: as CachedKeys in Swift.
function cachedKeyErrors(knobs) {
  const length = targetWindow(knobs);
  const trained = knobs.original;
  if (length <= trained || problems(knobs, "dynamic").length) return [];
  const table = (tokens) => inverseFrequencies({ ...knobs, length: tokens }, "dynamic");
  const now = table(length);
  const distances = new Set([length - trained, length - 1]);
  for (let step = 1; step < length; step *= 2) {
    distances.add(step);
    if (step + Math.floor(step / 2) < length) distances.add(step + Math.floor(step / 2));
  }
  return [...distances].sort((a, b) => a - b).map((distance) => {
    const position = length - 1 - distance;
    return { distance, relative: scoreChange(table(position + 1), now, 1, position) };
  });
}
