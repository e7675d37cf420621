// The rows of the comparison that follow the knobs: as SideBySide in Swift.
function showSideBySide(knobs) {
  const rows = document.querySelectorAll("#comparison tbody tr");
  const ramp = problems(knobs, "yarn").length ? [] : rampMask(knobs);
  const count = (name) => ramp.filter((share) => regionOf(share) === name).length;
  const magnitude = knobs.attentionFactor ?? yarnMagnitude(knobs.factor);
  const square = magnitude * magnitude;
  const cell = (row, column, words) => { rows[row].children[column].textContent = words; };
  cell(0, 1, `${ramp.length} pairs turn by position × frequency, base ${significant(knobs.base, 12)}`);
  cell(0, 2, `the same, with ${ramp.length - count("kept")} pairs slowed down`);
  cell(1, 1, `none: ${knobs.original} tokens`);
  cell(1, 2, `×${significant(knobs.factor)}: ${knobs.original} to ${targetWindow(knobs)} tokens`);
  cell(2, 2, `${count("kept")} of ${ramp.length} kept: local order stays as it was learned`);
  cell(3, 2, `${count("blended")} blended between the two`);
  cell(4, 2, `${count("interpolated")} divided by the factor: no angle is new`);
  cell(5, 2, `cos and sin × ${significant(magnitude, 8)}, logits × ${significant(square, 8)}, so t = ${significant(1 / square, 8)}`);
}
