// Inverse frequencies in radians per position, one for each pair: as FrequencyTable in Swift.

function blend(frequency, share, factor) { return frequency / factor * share + frequency * (1 - share); }

function inverseFrequencies(knobs, method = knobs.method) {
  if (problems(knobs, method).length) return [];
  const d = knobs.rotaryDimension;
  const base = effectiveBase(knobs, method);
  const kept = Array.from({ length: d / 2 }, (_, pair) => Math.pow(base, -(2 * pair) / d));
  if (method === "linear") return kept.map((frequency) => frequency / knobs.factor);
  if (method === "yarn" || method === "ntk-by-parts") {
    const ramp = rampMask(knobs);
    return kept.map((frequency, pair) => blend(frequency, ramp[pair], knobs.factor));
  }
  if (method === "by rotations") {
    return kept.map((frequency) => {
      const rotations = knobs.original * frequency / (2 * Math.PI);
      const share = Math.min(Math.max((rotations - knobs.betaSlow) / (knobs.betaFast - knobs.betaSlow), 0), 1);
      return blend(frequency, 1 - share, knobs.factor);
    });
  }
  return kept;
}

function wavelength(frequency) { return 2 * Math.PI / frequency; }
function rotations(frequency, length) { return length * frequency / (2 * Math.PI); }
