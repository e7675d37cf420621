// How far a score is off between two tables at one distance: as ScoreChange in Swift.
function scoreChange(mine, its, ratio, turn) {
  let sum = 0;
  for (let pair = 0; pair < mine.length; pair += 1)
    sum += 1 + ratio * ratio - 2 * ratio * Math.cos(turn * (mine[pair] - its[pair]));
  return Math.sqrt(Math.max(sum, 0) / Math.max(mine.length, 1));
}
