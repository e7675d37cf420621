// The chosen setting as a command and as keys of a GGUF.

function shellWord(word) {
  return /^[A-Za-z0-9\-_.\/=:@,+]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const usual = { betaFast: 32, betaSlow: 1, truncate: true };

function patchCommand(knobs, start, model) {
  if (knobs.headDimension !== start.headDimension || knobs.rotaryDimension !== start.rotaryDimension)
    return "# no command: another head size or rotating share is another model";
  const words = ["yarn-patch", "patch", shellWord(model)];
  const add = (option, value) => words.push(option, String(value));
  if (knobs.method === "none") {
    add("--method", "none");
  } else {
    if (knobs.factor < 1) return "# no command: yarn-patch takes factors of at least 1";
    add("--factor", knobs.factor);
    if (knobs.method !== "yarn") add("--method", knobs.method);
  }
  add("--original-context", knobs.original);
  if (knobs.base !== start.base) add("--base", knobs.base);
  if (["yarn", "ntk-by-parts"].includes(knobs.method)) {
    if (knobs.betaFast < knobs.betaSlow) return "# no command: a beta fast below beta slow reverses the ramp";
    if (knobs.betaFast !== usual.betaFast || start.betaFast !== usual.betaFast) add("--beta-fast", knobs.betaFast);
    if (knobs.betaSlow !== usual.betaSlow || start.betaSlow !== usual.betaSlow) add("--beta-slow", knobs.betaSlow);
    if (knobs.truncate !== usual.truncate || start.truncate !== usual.truncate)
      words.push(knobs.truncate ? "--truncate" : "--no-truncate");
    if (knobs.method === "yarn" && (knobs.attentionFactor !== null || start.attentionFactor !== null))
      add("--attention-factor", attentionFactor(knobs));
  }
  return words.join(" ");
}

// A line ends between words, not within an option.
function showCommand(command) {
  document.getElementById("command").replaceChildren(...command.split(" ").flatMap((word, i) =>
    [...(i ? [" "] : []), html("span", {}, [word])]));
}

function ggufText(knobs, names, readsBetas) {
  const lines = [`${names.contextLength} = ${knobs.method === "none" ? knobs.original : targetWindow(knobs)} (uint32)`,
    `${names.base} = ${effectiveBase(knobs, knobs.method === "ntk" ? "ntk" : "none")} (float32)`];
  if (knobs.method === "dynamic") return "# a GGUF has no dynamic scaling";
  if (knobs.method === "none") return [...lines, `${names.type}, ${names.factor}: absent`].join("\n");
  if (knobs.method === "ntk") return [...lines, `${names.original} = ${knobs.original} (uint32)`].join("\n");
  const isYaRN = knobs.method !== "linear";
  lines.push(`${names.type} = "${isYaRN ? "yarn" : "linear"}" (string)`, `${names.factor} = ${knobs.factor} (float32)`,
    `${names.original} = ${knobs.original} (uint32)`);
  if (!isYaRN) return lines.join("\n");
  // llama.cpp multiplies the automatic magnitude by what the key says.
  const relative = attentionFactor(knobs) / yarnMagnitude(knobs.factor);
  if (relative !== 1) lines.push(`${names.attentionFactor} = ${relative} (float32)`);
  if (!knobs.truncate) lines.push("# llama.cpp always rounds the ramp's bounds");
  for (const [name, option] of [["betaFast", "--yarn-beta-fast"], ["betaSlow", "--yarn-beta-slow"]]) {
    if (knobs[name] === usual[name]) continue;
    lines.push(readsBetas ? `${names[name]} = ${knobs[name]} (float32)`
      : `# llama.cpp reads no betas for this architecture: start it with ${option} ${knobs[name]}`);
  }
  return lines.join("\n");
}
