// Entropy of attention over independent keys: the law beside the numbers of the reference check (AttentionSpread).

// Standard deviation of logits in the check.
const logitSpread = 2;

// Share of a normal distribution above z, to about seven digits (Numerical Recipes, erfcc).
function normalTail(z) {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const terms = [0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368];
  const tail = t / 2 * Math.exp(-x * x - 1.26551223 + t * terms.reduce((sum, term) => sum * t + term));
  return z < 0 ? 1 - tail : tail;
}

// Of n normal logits, multiplied by the square of the attention factor, the largest stands near where 1/2n is above it.
//
//   H = ln n - σ²/2 + ln Φ(m - σ) + σ φ(m - σ) / Φ(m - σ),   m the largest over its spread
//
// For long sequences the last two terms vanish: ln n - σ²/2.
function expectedEntropy(length, magnitude) {
  const spread = logitSpread * magnitude * magnitude;
  let [low, high] = [-8, 8];
  for (let i = 0; i < 40; i += 1) {
    const middle = (low + high) / 2;
    if (normalTail(middle) * 2 * length > 1) low = middle; else high = middle;
  }
  const rest = low - spread;
  const share = 1 - normalTail(rest);
  const density = Math.exp(-rest * rest / 2) / Math.sqrt(2 * Math.PI);
  return Math.log(length) - spread * spread / 2 + (share > 0 ? Math.log(share) + spread * density / share : 0);
}
