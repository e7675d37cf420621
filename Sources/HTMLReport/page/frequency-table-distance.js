// The summed cosine by distance: as FrequencyTable+Distance in Swift.

function similarity(frequencies, distance) {
  let sum = 0;
  for (const frequency of frequencies) sum += Math.cos(distance * frequency);
  return sum;
}

// Looks for the first distance with a negative sum, some distances at a time so that the page stays awake.
//
// Every 64 distances the angles are taken anew; between them each pair turns by a fixed complex factor.
function* firstNegativeDistance(frequencies, limit) {
  const steps = frequencies.map((w) => [Math.cos(w), Math.sin(w)]);
  const span = 64;
  for (let start = 0; start <= limit; start += span) {
    const sums = new Float64Array(Math.min(span, limit - start + 1));
    frequencies.forEach((w, pair) => {
      let c = Math.cos(start * w), s = Math.sin(start * w);
      const [dc, ds] = steps[pair];
      for (let i = 0; i < sums.length; i += 1) {
        sums[i] += c;
        [c, s] = [c * dc - s * ds, s * dc + c * ds];
      }
    });
    for (let i = 0; i < sums.length; i += 1) {
      // Where rounding could decide, the sum itself does.
      if (sums[i] < 1e-9 * frequencies.length && similarity(frequencies, start + i) < 0) return start + i;
    }
    yield start;
  }
  return null;
}
