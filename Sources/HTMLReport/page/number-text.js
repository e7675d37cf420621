// Numbers for people: as NumberText in Swift.
function significant(value, digits = 6) {
  if (!Number.isFinite(value)) return String(value);
  const rounded = Number(value.toPrecision(digits));
  return Number.isInteger(rounded) && Math.abs(rounded) < 1e15 ? String(rounded) : String(rounded);
}
