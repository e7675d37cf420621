// What a table is computed from, and which values give none: as RoPEParameters in Swift.

const magnitudes = { least: 1e-9, greatest: 1e15 };
const maximumDimension = 65536;

function isMagnitude(value) { return value >= magnitudes.least && value <= magnitudes.greatest; }

// The base after the scalings that change it.
function effectiveBase(knobs, method = knobs.method) {
  const d = knobs.rotaryDimension;
  if (method === "ntk") return knobs.base * Math.pow(knobs.factor, d / (d - 2));
  if (method === "dynamic") {
    const stretch = Math.max(knobs.length, knobs.original) / knobs.original;
    return knobs.base * Math.pow(knobs.factor * stretch - (knobs.factor - 1), d / (d - 2));
  }
  return knobs.base;
}

// Multiplies cos and sin.
function attentionFactor(knobs) {
  return knobs.method === "yarn" ? knobs.attentionFactor ?? yarnMagnitude(knobs.factor) : 1;
}

// Original length times factor, in tokens.
function targetWindow(knobs) {
  const product = knobs.original * knobs.factor, nearest = Math.round(product);
  return Math.max(1, Math.abs(product - nearest) <= nearest * 1e-12 ? nearest : Math.floor(product));
}

// Why a setting gives no table, as sentences; empty when it gives one.
function problems(knobs, method = knobs.method) {
  const list = [];
  const d = knobs.rotaryDimension;
  if (!(knobs.base > 1 && knobs.base <= magnitudes.greatest)) list.push("the base must be a number above 1");
  if (!(d >= 2 && d <= maximumDimension && d % 2 === 0)) list.push("the rotating part must be an even number from 2 on");
  if (method !== "none" && !isMagnitude(knobs.factor)) list.push("the factor must be a number above 0");
  if (["ntk", "dynamic"].includes(method) && d === 2) list.push("this method needs at least 4 rotating elements");
  if (method === "ntk" && !(effectiveBase(knobs, method) > 1)) list.push("the factor must leave the base above 1");
  if (!["none", "linear", "ntk"].includes(method) && !isMagnitude(knobs.original))
    list.push("the original length must be a number above 0");
  if (["yarn", "ntk-by-parts", "by rotations"].includes(method)
    && !(isMagnitude(knobs.betaFast) && isMagnitude(knobs.betaSlow))) list.push("the betas must be numbers above 0");
  if (method === "by rotations" && !(knobs.betaFast > knobs.betaSlow)) list.push("beta fast must be above beta slow");
  if (method === "dynamic" && !isMagnitude(knobs.length)) list.push("the length must be a number above 0");
  return list;
}
