// Values over values, drawn as Plot in Swift draws them, in the width that the page has.

const svgName = "http://www.w3.org/2000/svg";

function element(name, attributes = {}, children = [], namespace = svgName) {
  const node = document.createElementNS(namespace, name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  node.append(...children);
  return node;
}

function html(name, attributes = {}, children = []) {
  return element(name, attributes, children, "http://www.w3.org/1999/xhtml");
}

const round = (value) => Math.round(value * 100) / 100;

// Marks of the series: diamond, square, two triangles, two strokes.
const shapes = [
  [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]], [[-1, -1], [1, -1], [1, 1], [-1, 1]],
  [[0, -1.3], [1.2, 0.9], [-1.2, 0.9]], [[0, 1.3], [1.2, -0.9], [-1.2, -0.9]], [[-1.5, 0], [1.5, 0]],
  [[0, -1.5], [0, 1.5]],
];

function markPath(shape, x, y, size) {
  return "M" + shape.map(([dx, dy]) => `${round(x + dx * size)} ${round(y + dy * size)}`).join("L") + "Z";
}

class Plot {
  // What: { title, x, y, series: [{ name, points: [[x, y]], isReference, line, isHidden }], bands: [{ name, from, to,
  // style }], levels: [{ value, label }], verticals: [{ value, label }] }
  constructor(what) {
    Object.assign(this, { title: "", series: [], bands: [], levels: [], verticals: [] }, what);
    let number = 0;
    for (const series of this.series) {
      series.style = series.isReference ? "reference" : `series${number % shapes.length}`;
      series.shape = series.isReference ? null : shapes[number % shapes.length];
      if (!series.isReference) number += 1;
    }
  }

  draw(width, height = Math.max(200, Math.min(340, width * 0.55))) {
    const isNarrow = width < 500;
    this.area = { x: isNarrow ? 56 : 64, y: this.title ? 30 : 12, width: width - (isNarrow ? 74 : 84), height };
    const { area } = this;
    const bottom = area.y + area.height;
    const line = (style, x1, y1, x2, y2) =>
      element("line", { class: style, x1: round(x1), y1: round(y1), x2: round(x2), y2: round(y2) });
    const text = (style, x, y, words) => element("text", { class: style, x: round(x), y: round(y) }, [words]);
    const parts = [element("rect", { class: "page", width, height: bottom + 44 })];
    if (this.title) parts.push(text("heading", 4, 18, this.title));
    for (const band of this.bands) {
      const left = this.placeX(band.from);
      parts.push(element("rect", {
        class: `band${band.style}`, x: round(left), y: area.y, width: round(Math.max(this.placeX(band.to) - left, 0)),
        height: round(area.height),
      }));
    }
    for (const tick of this.x.ticks(isNarrow ? 5 : 10)) {
      const x = this.placeX(tick.value);
      parts.push(line("grid", x, area.y, x, bottom), text("middle", x, bottom + 17, tick.label));
    }
    for (const tick of this.y.ticks(8)) {
      const y = this.placeY(tick.value);
      parts.push(line("grid", area.x, y, area.x + area.width, y), text("end", area.x - 6, y + 4, tick.label));
    }
    parts.push(
      line("axis", area.x, bottom, area.x + area.width, bottom), line("axis", area.x, area.y, area.x, bottom),
      text("middle", area.x + area.width / 2, bottom + 36, this.x.title),
      element("text", {
        class: "middle", x: 12, y: round(area.y + area.height / 2),
        transform: `rotate(-90 12 ${round(area.y + area.height / 2)})`,
      }, [this.y.title]));
    for (const series of this.series) parts.push(this.drawSeries(series));
    let ceiling = Infinity;
    for (const level of [...this.levels].sort((a, b) => a.value - b.value)) {
      const y = this.placeY(level.value);
      ceiling = Math.min(y - 4, ceiling);
      parts.push(line("level", area.x, y, area.x + area.width, y), text("caption", area.x + 6, ceiling, level.label));
      ceiling -= 14;
    }
    this.verticals.forEach((vertical, index) => {
      const x = this.placeX(vertical.value);
      const right = area.x + area.width;
      const width = 6.6 * vertical.label.length;
      // At the right of the line, else at its left, else as far right as it fits.
      const left = x + 5 + width <= right ? x + 5 : x - 5 - width >= area.x ? x - 5 - width : Math.max(right - width, area.x + 2);
      parts.push(line("vertical", x, area.y, x, bottom), text("caption", left, area.y + 14 + 15 * index, vertical.label));
    });
    return { parts, height: bottom + 44 };
  }

  placeX(value) { return this.area.x + this.x.share(value) * this.area.width; }
  placeY(value) { return this.area.y + (1 - this.y.share(value)) * this.area.height; }

  drawSeries(series) {
    let path = "";
    const places = series.points.filter(([, y]) => Number.isFinite(y)).map(([x, y]) => [this.placeX(x), this.placeY(y)]);
    if (series.line) {
      path = places.map(([x, y], index) => `${index ? "L" : "M"}${round(x)} ${round(y)}`).join("");
    } else {
      const size = Math.min(Math.max(this.area.width / Math.max(places.length, 1) * 0.35, 1.5), 3.5);
      const shape = series.shape ?? shapes[0];
      for (const [x, y] of places) path += markPath(shape, x, y, series.shape ? size : size * 0.7);
    }
    return element("g", { class: series.style + (series.line ? " line" : "") }, path ? [element("path", { d: path })] : []);
  }

  // The legend's entries as pairs of a small drawing and a name.
  legend() {
    const entry = (drawing, name) => html("li", {}, [
      element("svg", { class: "figure key", viewBox: "0 0 14 14", width: 14, height: 14, "aria-hidden": "true" }, [drawing]),
      name,
    ]);
    const named = new Set();
    return this.series.filter((series) => !series.isUnnamed).map((series) => entry(
      element("g", { class: series.style + (series.line ? " line" : "") },
        [element("path", { d: series.line ? "M0 7H14" : markPath(series.shape ?? shapes[0], 7, 7, 3.5) })]), series.name))
      .concat(this.bands.filter((band) => !named.has(band.style) && named.add(band.style)).map((band) => entry(
        element("rect", { class: `band${band.style}`, x: 1, y: 1, width: 12, height: 12 }), band.name)));
  }
}
