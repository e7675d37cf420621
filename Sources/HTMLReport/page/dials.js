// Pairs as turning hands: as Dials in Swift, at the position of the slider.
class Dials {
  constructor(redraw) {
    this.figure = document.getElementById("rotation-figure");
    this.drawing = this.figure.querySelector(".drawing");
    this.slider = document.getElementById("position");
    this.button = document.getElementById("play");
    this.output = document.getElementById("position-text");
    this.slider.addEventListener("input", redraw);
    this.button.addEventListener("click", () => this.play(redraw));
    this.figure.querySelector("details").addEventListener("toggle", redraw);
  }

  // Position along the target window: slow at first, for the fast pairs' sake.
  position(window) { return Math.round(Math.pow(this.slider.valueAsNumber, 3) * (window - 1)); }

  play(redraw) {
    this.isPlaying = !this.isPlaying;
    this.button.textContent = this.isPlaying ? "Pause" : "Play";
    let last = null;
    const step = (time) => {
      if (!this.isPlaying) return;
      const next = this.slider.valueAsNumber + (last === null ? 0 : (time - last) / 20000);
      last = time;
      this.slider.value = next >= 1 ? 0 : next;
      redraw();
      requestAnimationFrame(step);
    };
    if (this.isPlaying) requestAnimationFrame(step);
  }

  show(knobs, before, after) {
    const window = targetWindow(knobs);
    const position = this.position(window);
    const beyond = position >= knobs.original;
    this.output.textContent = `position ${position} of ${window}` + (beyond ? ", beyond the trained window" : "");
    this.slider.setAttribute("aria-valuetext", this.output.textContent);
    const last = Math.min(before.length, after.length) - 1;
    const pairs = last < 0 ? [] : [...new Set([0, 1, 2, 3, 4, 5].map((i) => Math.floor(last * i / 5)))];
    const width = drawingWidth;
    const perRow = Math.max(2, Math.min(pairs.length, Math.floor(width / 120)));
    const room = width / Math.max(perRow, 1);
    const radius = 46;
    const nodes = pairs.map((pair, index) => {
      const seen = knobs.original * before[pair];
      const [x, y] = [room * (index % perRow + 0.5), 60 + 140 * Math.floor(index / perRow)];
      const hand = (style, frequency) => {
        const angle = frequency * position;
        const isNew = seen < 2 * Math.PI && angle > seen * (1 + 1e-9);
        return element("line", { class: `hand ${style}${isNew ? " unseen" : ""}`, x1: 0, y1: 0,
          x2: round(Math.sin(angle) * radius), y2: round(-Math.cos(angle) * radius) });
      };
      const area = seen >= 2 * Math.PI ? element("circle", { class: "seen", r: radius }) : element("path", { class: "seen",
        d: `M0 0V-${radius}A${radius} ${radius} 0 ${seen > Math.PI ? 1 : 0} 1 ${round(Math.sin(seen) * radius)} ${round(-Math.cos(seen) * radius)}Z` });
      return element("g", { transform: `translate(${round(x)} ${y})` }, [
        element("circle", { class: "rim", r: radius }), area, hand("before", before[pair]), hand("after", after[pair]),
        element("text", { class: "middle", y: 66 }, [`pair ${pair}`]),
      ]);
    });
    const height = 140 * Math.ceil(pairs.length / perRow);
    this.drawing.replaceChildren(element("svg",
      { class: "figure dials", role: "img", viewBox: `0 0 ${width} ${height}`, width, height },
      [element("title", {}, [`Pairs as turning hands, ${this.output.textContent}`]), ...nodes]));
    if (!this.figure.querySelector("details").open) return;
    const turns = (frequency) => significant(frequency * position / (2 * Math.PI));
    this.figure.querySelector("tbody").replaceChildren(...pairs.map((pair) => html("tr", {},
      [String(pair), turns(before[pair]), turns(after[pair]), significant(knobs.original * before[pair] / (2 * Math.PI))]
        .map((cell) => html("td", {}, [cell])))));
  }
}
