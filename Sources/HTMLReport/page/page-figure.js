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

// A figure of the page: its plots one below the other, its legend, its table of numbers, and what a pointer is told.
class PageFigure {
  constructor(id) {
    this.node = document.getElementById(id);
    if (!this.node) return;
    this.drawing = this.node.querySelector(".drawing");
    this.details = this.node.querySelector("details");
    this.body = this.node.querySelector("tbody");
    this.details.addEventListener("toggle", () => this.fill());
  }

  // Plots; rows as a function, for a closed table is not filled; what a pointer at an x-value is told.
  show(plots, columns, rows, tell) {
    if (!this.node) return;
    [this.plots, this.columns, this.rows] = [plots, columns, rows];
    const width = drawingWidth;
    let y = 0;
    const groups = plots.map((plot) => {
      const { parts, height } = plot.draw(width);
      const group = element("g", { transform: `translate(0 ${y})` }, parts);
      plot.top = y;
      y += height;
      return group;
    });
    const caption = this.node.querySelector("figcaption").textContent;
    this.svg = element("svg", { class: "figure", role: "img", viewBox: `0 0 ${width} ${round(y)}`, width, height: round(y) },
      [element("title", {}, [caption]), ...groups]);
    this.drawing.replaceChildren(this.svg);
    this.showLegend(plots);
    if (tell) this.svg.addEventListener("pointermove", (event) => showTip(event, this.told(event, tell)));
    if (tell) this.svg.addEventListener("pointerleave", hideTip);
    this.fill();
  }

  // Anew only where it says something else.
  showLegend(plots) {
    const words = plots.flatMap((plot) => [...plot.series, ...plot.bands].map(({ name }) => name)).join("\n");
    if (words === this.words) return;
    this.words = words;
    this.node.querySelector(".legend").replaceChildren(...uniqueLegend(plots));
  }

  told(event, tell) {
    const plot = this.plotAt(event);
    const share = (event.clientX - this.svg.getBoundingClientRect().left - plot.area.x) / plot.area.width;
    return share < 0 || share > 1 ? "" : tell(plot.x.value(share), plot);
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

const tip = document.getElementById("tip");

function showTip(event, words) {
  if (!words) return hideTip();
  tip.textContent = words;
  tip.hidden = false;
  const left = Math.min(event.pageX + 14, document.documentElement.clientWidth + window.scrollX - tip.offsetWidth - 8);
  tip.style.left = `${Math.max(left, 4)}px`;
  tip.style.top = `${event.pageY + 16}px`;
}

function hideTip() { tip.hidden = true; }
