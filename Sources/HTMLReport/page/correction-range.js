// The pair indices between which YaRN's ramp runs: as CorrectionRange in Swift.

// Index of the pair that turns so many times within the original length, not rounded.
function correctionIndex(rotations, knobs) {
  return knobs.rotaryDimension * Math.log(knobs.original / (rotations * 2 * Math.PI)) / (2 * Math.log(knobs.base));
}

function correctionRange(knobs) {
  const fast = correctionIndex(knobs.betaFast, knobs);
  const slow = correctionIndex(knobs.betaSlow, knobs);
  const low = Math.max(knobs.truncate ? Math.floor(fast) : fast, 0);
  const high = Math.min(knobs.truncate ? Math.ceil(slow) : slow, knobs.rotaryDimension - 1);
  // The reference's way out of a division by zero.
  return { low, high: low === high ? high + 0.001 : high };
}

// The interpolated share of each pair, from 0 (keep) to 1 (divide by the factor).
function rampMask(knobs) {
  const { low, high } = correctionRange(knobs);
  return Array.from({ length: knobs.rotaryDimension / 2 }, (_, pair) =>
    Math.min(Math.max((pair - low) / (high - low), 0), 1));
}

function regionOf(share) { return share === 0 ? "kept" : share === 1 ? "interpolated" : "blended"; }
