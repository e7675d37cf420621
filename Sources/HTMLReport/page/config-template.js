// What a patch states in a config.json: the members that Swift's planner touches, with the values of the knobs put in.

// A number that is written with a fraction, whole or not.
class Fraction {
  constructor(value) { this.value = value; }
  get text() { return Number.isInteger(this.value) && Math.abs(this.value) < 1e16 ? `${this.value}.0` : String(this.value); }
}

function templateValue(knobs, name) {
  switch (name) {
    case "base": return effectiveBase(knobs, knobs.method === "ntk" ? "ntk" : "none");
    case "window": return targetWindow(knobs);
    case "attentionFactor": return attentionFactor(knobs);
    default: return knobs[name];
  }
}

function isUsual(knobs, name) {
  return name === "attentionFactor" ? knobs.attentionFactor === null : knobs[name] === usual[name];
}

function configMembers(knobs, template) {
  const members = structuredClone(template.members);
  for (const { path, value: name, isFraction, isOptional } of template.places) {
    const owner = path.slice(0, -1).reduce((node, key) => node[key], members);
    const key = path.at(-1);
    const value = templateValue(knobs, name);
    if (isOptional && isUsual(knobs, name)) delete owner[key];
    else owner[key] = isFraction ? new Fraction(value) : value;
  }
  return members;
}

// JSON with two spaces for each level; what is not finite is null, as JSON has it.
function jsonText(value, indent = "") {
  if (value instanceof Fraction) return Number.isFinite(value.value) ? value.text : "null";
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const items = Array.isArray(value) ? value.map((item) => jsonText(item, inner))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${jsonText(item, inner)}`);
  return items.length ? `${open}\n${inner}${items.join(`,\n${inner}`)}\n${indent}${close}` : open + close;
}

function configText(knobs, template) { return jsonText(configMembers(knobs, template)); }
