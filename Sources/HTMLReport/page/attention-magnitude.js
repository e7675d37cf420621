// YaRN's attention factor, 1 + 0.1 ln s for s > 1, else 1.
function yarnMagnitude(factor) {
  return factor <= 1 ? 1 : 1 + 0.1 * Math.log(factor);
}
