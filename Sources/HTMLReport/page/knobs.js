// The controls: one slider and one number for each knob, and what belongs to them.
class Knobs {
  // onChange is called after every change of a value.
  constructor(data, onChange) {
    this.presets = data.presets;
    this.onChange = onChange;
    this.values = { ...this.presets[0].knobs };
    for (const node of document.querySelectorAll("[data-knob]")) this.bind(node);
    const layers = document.getElementById("presets");
    this.presets.forEach((preset, index) => {
      const button = html("button", { type: "button" }, [preset.name]);
      button.addEventListener("click", () => this.set(this.presets[index].knobs));
      layers.append(button);
    });
    this.show();
  }

  bind(node) {
    const name = node.dataset.knob;
    if (node.type === "checkbox" && name === "automatic")
      return node.addEventListener("input", () => this.set({ attentionFactor: node.checked ? null : attentionFactor(this.values) }));
    const read = {
      checkbox: () => node.checked, "select-one": () => node.value,
      range: () => this.slid(node), number: () => node.valueAsNumber,
    }[node.type];
    node.addEventListener("input", () => {
      const value = read();
      this.set({ [name]: value }, node);
    });
  }

  // Sliders of long ranges run over the logarithm; lengths are whole.
  slid(node) {
    const value = node.dataset.scale === "log" ? Math.pow(2, node.valueAsNumber) : node.valueAsNumber;
    return node.dataset.whole !== undefined ? Math.round(value) : Number(value.toPrecision(6));
  }

  // Changes some values; the control that the reader holds is left alone.
  set(changes, held) {
    Object.assign(this.values, changes);
    const { values } = this;
    if ("headDimension" in changes && values.rotaryDimension > values.headDimension)
      values.rotaryDimension = values.headDimension - values.headDimension % 2;
    if ("rotaryDimension" in changes && values.rotaryDimension > values.headDimension)
      values.headDimension = values.rotaryDimension;
    this.show(held);
    this.onChange();
  }

  show(held) {
    const { values } = this;
    for (const node of document.querySelectorAll("[data-knob]")) {
      if (node === held) continue;
      const name = node.dataset.knob;
      const value = name === "attentionFactor" ? attentionFactor(values) : values[name];
      if (name === "automatic") node.checked = values.attentionFactor === null;
      else if (node.type === "checkbox") node.checked = value;
      else if (node.type === "range") node.value = node.dataset.scale === "log" ? Math.log2(value) : value;
      else node.value = value;
      if (node.type === "range") node.setAttribute("aria-valuetext", significant(value));
    }
    const uses = {
      none: [], linear: ["factor"], ntk: ["factor"], dynamic: ["factor", "length"],
      yarn: ["factor", "betaFast", "betaSlow", "truncate", "attentionFactor"],
      "ntk-by-parts": ["factor", "betaFast", "betaSlow", "truncate"],
    }[values.method] ?? [];
    for (const node of document.querySelectorAll("[data-used]"))
      node.classList.toggle("unused", !uses.includes(node.dataset.used));
  }
}

// The whole setting in a line, for paper.
function settingText(knobs) {
  const isYaRN = knobs.method === "yarn" || knobs.method === "ntk-by-parts";
  return [
    knobs.method === "none" ? `no scaling, ${knobs.original} tokens`
      : `${knobs.method} ×${significant(knobs.factor)}, ${knobs.original} to ${targetWindow(knobs)} tokens`,
    `base ${significant(knobs.base, 12)}`, `${knobs.rotaryDimension} of ${knobs.headDimension} elements of a head rotate`,
    ...isYaRN ? [`β fast ${knobs.betaFast}, β slow ${knobs.betaSlow}, ramp’s bounds ${knobs.truncate ? "" : "not "}rounded`] : [],
    ...knobs.method === "dynamic" ? [`for a sequence of ${knobs.length} tokens`] : [],
  ].join("; ");
}
