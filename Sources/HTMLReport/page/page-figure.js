// The width that drawings have. Told by the page when it changes: asking would lay the page out each time.
let drawingWidth = 760;

function watchWidth(redraw) {
  new ResizeObserver(([entry]) => {
    const old = drawingWidth;
    const room = Math.floor(entry.contentRect.width);
    if (room > 0) drawingWidth = Math.max(280, Math.min(760, room));
    if (drawingWidth !== old) redraw();
  }).observe(document.querySelector(".drawing"));
}

// A figure of the page: its plots one below the other, its legend, its table of numbers, and its values at each place,
// for a pointer and for the arrow keys.
class PageFigure {
  constructor(id) {
    this.node = document.getElementById(id);
    if (!this.node) return;
    this.drawing = this.node.querySelector(".drawing");
    this.details = this.node.querySelector("details");
    this.body = this.node.querySelector("tbody");
    this.caption = this.node.querySelector("figcaption").textContent;
    this.details.addEventListener("toggle", () => this.fill());
    const marks = { role: "slider", tabindex: 0, "aria-label": `${this.caption}: values, by the arrow keys`, "aria-valuemin": 0 };
    for (const key in marks) this.drawing.setAttribute(key, marks[key]);
    this.drawing.addEventListener("keydown", (event) => this.step(event));
    this.drawing.addEventListener("pointermove", (event) => this.read(this.stopAt(event), event));
    for (const end of ["pointerleave", "blur"]) this.drawing.addEventListener(end, () => this.leave());
  }

  // Plots; rows as a function, for a closed table is not filled; places on the x-axis, and the words for each of them.
  show(plots, columns, rows, stops, tell) {
    if (!this.node) return;
    Object.assign(this, { plots, columns, rows, stops, tell });
    this.at = Math.min(this.at ?? 0, Math.max(stops.length - 1, 0));
    this.drawing.setAttribute("aria-valuemax", Math.max(stops.length - 1, 0));
    const width = drawingWidth;
    let y = 0;
    const groups = plots.map((plot) => {
      const { parts, height } = plot.draw(width);
      const group = element("g", { transform: `translate(0 ${y})` }, parts);
      plot.top = y;
      y += height;
      return group;
    });
    this.svg = element("svg", { class: "figure", role: "img", viewBox: `0 0 ${width} ${round(y)}`, width, height: round(y) },
      [element("title", {}, [this.caption]), ...groups]);
    this.drawing.replaceChildren(this.svg);
    this.showLegend(plots);
    this.describe();
    this.fill();
  }

  // Anew only where it says something else.
  showLegend(plots) {
    const words = plots.flatMap((plot) => [...plot.series, ...plot.bands].map(({ name }) => name)).join("\n");
    if (words === this.words) return;
    this.words = words;
    this.node.querySelector(".legend").replaceChildren(...uniqueLegend(plots));
  }

  // The place nearest to a pointer, -1 beside the axes.
  stopAt(event) {
    const plot = this.plotAt(event);
    const left = event.clientX - this.svg.getBoundingClientRect().left;
    const distances = this.stops.map((stop) => Math.abs(plot.placeX(stop) - left));
    return left < plot.area.x - 8 || left > plot.area.x + plot.area.width + 8 ? -1 : distances.indexOf(Math.min(...distances));
  }

  step(event) {
    const last = this.stops.length - 1;
    const next = { ArrowRight: this.at + 1, ArrowUp: this.at + 1, ArrowLeft: this.at - 1, ArrowDown: this.at - 1,
      PageUp: this.at + 8, PageDown: this.at - 8, Home: 0, End: last }[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    this.read(Math.min(Math.max(next, 0), last));
  }

  // Marks a place in all plots and says its values: at the pointer, else at the line.
  read(stop, event) {
    if (stop < 0) return this.leave();
    this.at = stop;
    for (const [i, plot] of this.plots.entries()) {
      const x = round(plot.placeX(this.stops[stop]));
      const group = this.svg.querySelectorAll(":scope > g")[i];
      group.querySelector(".cursor")?.remove();
      group.append(element("line", { class: "cursor", x1: x, y1: plot.area.y, x2: x, y2: plot.area.y + plot.area.height }));
    }
    this.describe();
    if (event) return showTip(this.tell(stop), event.pageX + 14, event.pageY + 16);
    const [box, [plot]] = [this.svg.getBoundingClientRect(), this.plots];
    showTip(this.tell(stop), box.left + scrollX + plot.placeX(this.stops[stop]), -1);
    tip.style.top = `${scrollY + Math.max(box.top - tip.offsetHeight, 4)}px`;
  }

  // For those who hear the page.
  describe() {
    this.drawing.setAttribute("aria-valuenow", this.at);
    this.drawing.setAttribute("aria-valuetext", this.stops.length ? this.tell(this.at) : "nothing drawn");
  }

  leave() {
    for (const line of this.svg?.querySelectorAll(".cursor") ?? []) line.remove();
    hideTip();
  }

  plotAt(event) {
    const y = event.clientY - this.svg.getBoundingClientRect().top;
    return this.plots.findLast((plot) => plot.top <= y) ?? this.plots[0];
  }

  fill() {
    if (!this.details?.open || !this.rows) return;
    const head = this.node.querySelector("thead tr");
    head.replaceChildren(...this.columns.map((column) => html("th", { scope: "col" }, [column])));
    this.body.replaceChildren(...this.rows().map((row) => html("tr", {}, row.map((cell) => html("td", {}, [cell])))));
  }
}

function uniqueLegend(plots) {
  const seen = new Set();
  return plots.flatMap((plot) => plot.legend()).filter((item) => !seen.has(item.textContent) && seen.add(item.textContent));
}
