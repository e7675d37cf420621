// Where the values of one direction of a plot stand: as Axis in Swift.
class Axis {
  constructor(title, scale, values, margin = 0) {
    this.title = title;
    this.isLinear = scale === "linear";
    let least = Infinity, greatest = -Infinity;
    for (const value of values) {
      if (!Number.isFinite(value) || (!this.isLinear && value <= 0)) continue;
      if (value < least) least = value;
      if (value > greatest) greatest = value;
    }
    if (least > greatest) [least, greatest] = [1, 1];
    if (this.isLinear) {
      this.lower = least - margin;
      this.upper = Math.max(greatest + margin, this.lower + 1e-9);
    } else {
      this.lower = Math.floor(Math.log10(least));
      this.upper = Math.max(Math.ceil(Math.log10(greatest)), this.lower + 1);
    }
  }

  share(value) {
    const place = this.isLinear ? value : Math.log10(value);
    return Math.min(Math.max((place - this.lower) / (this.upper - this.lower), 0), 1);
  }

  // The value at a share, for a pointer.
  value(share) {
    const place = this.lower + share * (this.upper - this.lower);
    return this.isLinear ? place : Math.pow(10, place);
  }

  ticks(count) {
    const raw = (this.upper - this.lower) / count;
    const unit = Math.pow(10, Math.floor(Math.log10(raw)));
    const step = this.isLinear ? [1, 2, 5, 10].map((n) => n * unit).find((n) => n >= raw) : Math.max(1, Math.ceil(raw));
    const ticks = [];
    for (let i = Math.ceil(this.lower / step - 1e-9); i * step <= this.upper + 1e-9 * step; i += 1) {
      const place = i * step;
      ticks.push(this.isLinear
        ? { value: place, label: significant(place, 4) } : { value: Math.pow(10, place), label: powerText(place) });
    }
    return ticks;
  }
}

function powerText(exponent) {
  if (exponent >= 0 && exponent <= 3) return String(Math.pow(10, exponent));
  const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  return "10" + String(exponent).replace("-", "⁻").replace(/\d/g, (digit) => digits[digit]);
}
