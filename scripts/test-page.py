"""The page of `yarn-patch report` in the real browser.

    scripts/test-page.py COMMAND [--picture FILE.png]

Opens the pages of a trained model, a GGUF's header, a config with kinds of layers and hostile files, at two widths, light
and dark: nothing on the console, no request leaves a page, every control changes what it should, the keyboard reaches all
of them, and for random settings the tables equal those of `yarn-patch table --runtime formula`. Screenshots stay in
.build/page. YARN_PATCH_SEED repeats a run's random settings.
"""

import base64
import json
import math
import os
import pathlib
import random
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / ".build/page"
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
SECTIONS = "summary words rotation bands spectrum dilution decay series dynamic knobs comparison".split()
LARGEST_PAGE = 500_000
RELATIVE = 1e-12
FRAME = 1000 / 60
failures = []


def expect(holds, words):
    if not holds:
        failures.append(words)
        print(f"FAILED: {words}", flush=True)


# MARK: pages


def processor_time():
    """Seconds of the programs that were started; unlike the clock's they do not grow with other work on the machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def report(command, model, page, *options):
    start = processor_time()
    # From the model's folder: a page says its model's path as it was named.
    run = subprocess.run(
        [command, "report", model.name, "-o", str(page), *options], cwd=model.parent, capture_output=True, text=True,
        check=False)
    milliseconds = 1000 * (processor_time() - start)
    expect(run.returncode == 0, f"{page.name}: exit code {run.returncode}: {run.stderr}")
    size = page.stat().st_size
    expect(size < LARGEST_PAGE, f"{page.name}: {size} bytes")
    print(f"{page.name}: {size} bytes in {milliseconds:.0f} ms")
    return milliseconds


def config(folder, **members):
    folder.mkdir(parents=True, exist_ok=True)
    base = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "num_attention_heads": 32,
            "num_hidden_layers": 2, "num_key_value_heads": 8, "rope_theta": 10000.0, "max_position_embeddings": 4096}
    text = json.dumps({**base, **members}, indent=2, ensure_ascii=False)
    (folder / "config.json").write_text(text, encoding="utf-8")
    return folder


def hostile(scratch):
    """Models whose names, keys and values would like to be markup or script."""
    ends = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
    yield "hostile-name", config(scratch / "<img src=x onerror=window.hacked=1>&\"'")
    yield "hostile-type", config(scratch / "type", model_type=ends, rope_scaling={
        "rope_type": ends + "\u2028<!--", "factor": 4.0, "original_max_position_embeddings": 1024})
    yield "hostile-keys", config(scratch / "keys", **{
        "k" * 10_000: "<b>", ends * 40: 1, "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "y" * 10_000: ends}})
    text = (config(scratch / "nan") / "config.json").read_text().replace("10000.0", "NaN")
    (scratch / "nan/config.json").write_text(text)
    yield "hostile-nan", scratch / "nan"
    yield "hostile-layers", config(
        scratch / "layers", head_dim=64, layer_types=["full_attention", ends], rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": 10000.0},
            ends: {"rope_type": "default", "rope_theta": 1e6}})


# MARK: browser


class Browser:
    def __init__(self):
        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--lang=en",
                         "--force-prefers-reduced-motion"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.run = self.driver.execute_script
        self.tell = self.driver.execute_cdp_cmd
        self.size = None
        self.opened = set()

    def view(self, width, scheme, height=900):
        self.size = (width, height)
        self.tell("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.tell("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def open(self, page):
        self.opened.add(page.as_uri())
        self.driver.get(page.as_uri())
        self.settle()

    def settle(self):
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()));")

    def settle_search(self):
        for _ in range(200):
            if self.run("return document.body.dataset.searching") == "no":
                return
            time.sleep(0.05)
        expect(False, "the search for negative distances does not end")

    def check_quiet(self, where):
        """Nothing on the console, and no request but for the pages themselves."""
        messages = [entry["message"] for entry in self.driver.get_log("browser")]
        expect(not messages, f"{where}: console: {messages}")
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] != "Network.requestWillBeSent":
                continue
            url = message["params"]["request"]["url"]
            expect(url in self.opened or url.startswith("data:"), f"{where}: request: {url[:200]}")

    def shoot(self, name, height=None):
        width = self.size[0]
        height = height or self.run("return document.documentElement.scrollHeight")
        shot = self.tell("Page.captureScreenshot", {
            "captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}})
        (OUT / name).write_bytes(base64.b64decode(shot["data"]))

    def turn(self, settings):
        """Sets controls by name, as a reader's typing does."""
        self.run("""
          const order = ["headDimension", "rotaryDimension"];
          const names = Object.keys(arguments[0]).sort((a, b) => order.indexOf(a) - order.indexOf(b));
          for (const name of names) {
            const node = document.getElementById(name);
            if (node.type === "checkbox") node.checked = arguments[0][name]; else node.value = arguments[0][name];
            node.dispatchEvent(new Event("input", { bubbles: true }));
          }""", settings)
        self.settle()

    def table(self):
        return self.run("""
          const details = document.getElementById("table");
          return { pairs: [...details.querySelectorAll("tbody tr")].map((row) => Number(row.children[1].textContent)),
            factor: Number(document.getElementById("factor-text").textContent),
            members: JSON.parse(document.getElementById("members").textContent),
            command: document.getElementById("command").textContent,
            problems: document.getElementById("problems").textContent };""")


# MARK: tests


def test_views(browser, pages):
    for page in pages:
        for width in WIDTHS:
            for scheme in SCHEMES:
                where = f"{page.stem}, {width} pixels, {scheme}"
                browser.view(width, scheme)
                browser.open(page)
                browser.settle_search()
                found = browser.run("return [...document.querySelectorAll('main > section')].map((section) => section.id)")
                expect(found == SECTIONS, f"{where}: sections {found}")
                expect(browser.run("return document.documentElement.classList.contains('live')"), f"{where}: no script ran")
                expect(browser.run("return window.hacked === undefined && !document.querySelector('img, iframe, object')"),
                       f"{where}: markup of a file is in the page")
                wide = browser.run("return document.documentElement.scrollWidth")
                expect(wide <= width, f"{where}: {wide} pixels wide")
                figures = browser.run("""
                  return [...document.querySelectorAll("figure")].map((figure) => {
                    figure.querySelector("details").open = true;
                    return [figure.id, figure.querySelectorAll(".drawing svg").length];
                  });""")
                browser.settle()
                rows = browser.run("return [...document.querySelectorAll('figure')].map((f) => f.querySelectorAll('tbody tr').length)")
                for (name, drawings), count in zip(figures, rows):
                    empty = "hostile-nan" in page.stem or (name in ("dilution-figure", "cache-figure") and count == 0)
                    expect(drawings == 1 and (count > 0 or empty), f"{where}: {name}: {drawings} drawings, {count} rows")
                narrow = browser.run("""return [...document.querySelectorAll("figure .drawing")].filter((node) =>
                  Math.abs(node.querySelector("svg").clientWidth - Math.min(760, node.clientWidth)) > 1).length""")
                expect(narrow == 0, f"{where}: {narrow} drawings have another width than their place")
                bad = browser.run("""return [...document.querySelectorAll("svg *")].flatMap((node) => [...node.attributes])
                  .filter((attribute) => attribute.name !== "class" && /NaN|Infinity|undefined/.test(attribute.value)).length""")
                expect(bad == 0, f"{where}: {bad} attributes of drawings are no numbers")
                browser.run("for (const details of document.querySelectorAll('details')) details.open = false")
                browser.check_quiet(where)
                browser.shoot(f"{page.stem}-{width}-{scheme}.png")


def test_without_script(browser, page):
    browser.tell("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.view(1280, "light")
    browser.opened.add(page.as_uri())
    browser.driver.get(page.as_uri())
    time.sleep(0.3)
    browser.tell("Emulation.setScriptExecutionDisabled", {"value": False})
    drawn = browser.run("return document.querySelectorAll('figure svg').length")
    expect(drawn >= 8, f"without script: {drawn} drawings")
    rows = browser.run("return [...document.querySelectorAll('figure tbody')].filter((body) => !body.children.length).length")
    expect(rows == 0, f"without script: {rows} empty tables")
    browser.shoot(f"{page.stem}-no-script.png")
    browser.check_quiet("without script")


STATE = """
  const text = (id) => document.getElementById(id).textContent;
  const drawing = (id) => document.querySelector(`#${id} .drawing`).innerHTML;
  return { table: text("table"), command: text("command"), members: text("members"), keys: text("keys"),
    factor: text("factor-text"), comparison: text("comparison"), bands: drawing("bands-figure"),
    spectrum: drawing("spectrum-figure"), decay: drawing("decay-figure"), dilution: drawing("dilution-figure"),
    rotation: drawing("rotation-figure"), dynamic: drawing("dynamic-figure"), words: text("words") };
"""


def test_controls(browser, page):
    """What each control has to change, from the setting that the page opens with."""
    browser.view(1280, "light")
    changes = [
        ("method", "linear", {}, "table command members keys factor spectrum decay".replace(" spectrum", "")),
        ("factor", 7, {}, "table command members keys factor bands spectrum decay dilution rotation dynamic comparison"),
        ("original", 512, {}, "table command members keys bands decay dynamic rotation comparison"),
        ("length", 2000, {"method": "dynamic"}, "table spectrum"),
        ("base", 50000, {}, "table command members keys bands spectrum decay rotation words comparison"),
        ("headDimension", 32, {}, "table command"), ("rotaryDimension", 32, {}, "table command bands spectrum decay comparison"),
        ("betaFast", 16, {}, "table command members bands spectrum comparison"),
        ("betaSlow", 3, {}, "table command members bands spectrum comparison"),
        ("attentionFactor", 1.5, {}, "command members keys factor dilution comparison"),
        ("truncate", False, {}, "table command members keys bands spectrum comparison".replace(" comparison", "")),
    ]
    for name, value, before, parts in changes:
        browser.open(page)
        browser.run("document.getElementById('table').open = true")
        browser.settle()
        browser.turn(before)
        old = browser.run(STATE)
        browser.turn({name: value})
        new = browser.run(STATE)
        still = [part for part in parts.split() if old[part] == new[part]]
        expect(not still, f"control {name}: does not change {', '.join(still)}")
    browser.open(page)
    browser.turn({"attentionFactor": 1.5})
    browser.run("document.getElementById('automatic').click()")
    browser.settle()
    factor = browser.table()["factor"]
    expect(abs(factor - (1 + 0.1 * math.log(4))) < 1e-12, f"control automatic: the factor is {factor}")
    browser.run("document.querySelectorAll('#presets button')[1].click()")
    browser.settle()
    expect(browser.run("return document.getElementById('method').value") == "none", "the preset of the files is not set")
    # The position and its play button move the hands.
    old = browser.run(STATE)["rotation"]
    browser.run("const node = document.getElementById('position'); node.value = 0.4; node.dispatchEvent(new Event('input'))")
    browser.settle()
    middle = browser.run(STATE)["rotation"]
    expect(old != middle, "the position does not turn the hands")
    browser.driver.find_element(By.ID, "play").click()
    time.sleep(0.5)
    browser.driver.find_element(By.ID, "play").click()
    expect(middle != browser.run(STATE)["rotation"], "play does not turn the hands")
    browser.check_quiet("controls")


def test_drag(browser, page):
    browser.view(1280, "light")
    browser.open(page)
    browser.run("document.getElementById('bands-figure').scrollIntoView()")
    where = browser.run("""
      const line = document.querySelector("#bands-figure .vertical").getBoundingClientRect();
      return [line.left + line.width / 2, line.top + line.height / 2];""")
    before = browser.run("return document.getElementById('betaFast').value")
    actions = ActionChains(browser.driver)
    actions.w3c_actions.pointer_action.move_to_location(int(where[0]), int(where[1]))
    actions.w3c_actions.pointer_action.pointer_down()
    actions.w3c_actions.pointer_action.move_to_location(int(where[0]) + 80, int(where[1]))
    actions.w3c_actions.pointer_action.pointer_up()
    actions.perform()
    browser.settle()
    after = browser.run("return document.getElementById('betaFast').value")
    expect(float(after) < float(before), f"dragging beta fast leaves {before} at {after}")
    # A pointer over a spectrum is told numbers.
    figure = browser.driver.find_element(By.CSS_SELECTOR, "#spectrum-figure .drawing svg")
    ActionChains(browser.driver).scroll_to_element(figure).move_to_element(figure).perform()
    browser.settle()
    words = browser.run("return document.getElementById('tip').textContent")
    expect("pair" in words and "divisor" in words, f"the pointer is told {words!r}")
    browser.check_quiet("drag")


def test_keyboard(browser, page):
    browser.view(1280, "light")
    browser.open(page)
    wanted = browser.run("""
      const nodes = [...document.querySelectorAll("a, button, input, select, summary")];
      nodes.forEach((node, index) => { node.dataset.stop = index; });
      return nodes.length;""")
    reached = set()
    for _ in range(wanted + 60):
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        stop = browser.run("return document.activeElement?.dataset?.stop ?? null")
        if stop is not None:
            reached.add(int(stop))
    missed = browser.run("return [...document.querySelectorAll('[data-stop]')].filter((n) => !arguments[0].includes(Number(n.dataset.stop))).map((n) => n.outerHTML.slice(0, 80))", sorted(reached))
    expect(not missed, f"the keyboard does not reach {missed}")
    unnamed = browser.run("""return [...document.querySelectorAll("input, select")].filter((node) =>
      !node.labels?.length && !node.ariaLabel).map((node) => node.outerHTML.slice(0, 80))""")
    expect(not unnamed, f"controls without a name: {unnamed}")
    for selector, key in [("#position", Keys.ARROW_LEFT), ("#bands-fast", Keys.ARROW_RIGHT), ("#bands-slow", Keys.ARROW_RIGHT),
                          ("input[type=range][data-knob=factor]", Keys.ARROW_RIGHT), ("#factor", Keys.ARROW_UP)]:
        before = browser.run(STATE)
        browser.run("document.querySelector(arguments[0]).focus()", selector)
        for _ in range(12):
            ActionChains(browser.driver).send_keys(key).perform()
        browser.settle()
        after = browser.run(STATE)
        expect(before["rotation"] != after["rotation"] or before["bands"] != after["bands"], f"{selector}: keys change nothing")
    browser.check_quiet("keyboard")


def random_settings(chance):
    head = 2 * chance.randint(2, 128)
    rotary = head if chance.random() < 0.6 else 2 * chance.randint(2, head // 2)
    slow = round(math.exp(chance.uniform(-3, 2)), chance.randint(1, 6)) or 0.5
    return {
        "method": chance.choice(["yarn", "yarn", "linear", "ntk", "ntk-by-parts", "dynamic", "none"]),
        "base": chance.choice([10000, 500000, 1e6, round(math.exp(chance.uniform(2, 20)), 3)]),
        "headDimension": head, "rotaryDimension": rotary, "original": round(math.exp(chance.uniform(4, 13))),
        "factor": chance.choice([1, 2, 4, 8, round(math.exp(chance.uniform(0, 4)), chance.randint(1, 9))]),
        "betaFast": round(slow * math.exp(chance.uniform(0.1, 5)), 4), "betaSlow": slow,
        "truncate": chance.random() < 0.5, "length": round(math.exp(chance.uniform(4, 15))),
        "attentionFactor": round(chance.uniform(0.5, 2), 6), "automatic": chance.random() < 0.5,
    }


def formula(command, model, length):
    run = subprocess.run([command, "table", str(model), "--runtime", "formula", "--sequence-length", str(length),
                          "--format", "json"], capture_output=True, text=True, check=False)
    expect(run.returncode == 0, f"table: {run.stderr}")
    return json.loads(run.stdout)["tables"][0]


def difference(page, table):
    if len(page["pairs"]) != len(table["inverseFrequencies"]) or not page["pairs"]:
        return math.inf
    pairs = zip(page["pairs"] + [page["factor"]], table["inverseFrequencies"] + [table["attentionFactor"]])
    return max(abs(mine - its) / abs(its) for mine, its in pairs)


def test_tables(browser, command, page, scratch, count=200):
    """The members that the page shows for a setting, read by the command, give the table that the page shows."""
    seed = int(os.environ.get("YARN_PATCH_SEED", time.time_ns() % 1_000_000))
    chance = random.Random(seed)
    browser.view(1280, "light")
    browser.open(page)
    browser.run("document.getElementById('table').open = true")
    worst = 0
    for _ in range(count):
        settings = random_settings(chance)
        automatic = settings.pop("automatic")
        browser.turn(settings)
        if automatic:
            browser.turn({"automatic": True})
        shown = browser.table()
        model = config(
            scratch / "random", head_dim=settings["headDimension"],
            # Runtimes cut the product off to a whole number.
            partial_rotary_factor=min(1.0, (settings["rotaryDimension"] + 0.25) / settings["headDimension"]),
            **shown["members"])
        table = formula(command, model, settings["length"])
        apart = difference(shown, table)
        worst = max(worst, apart)
        expect(apart <= RELATIVE, f"seed {seed}: {settings} automatic {automatic}: tables differ by {apart}, {shown['problems']}")
    print(f"{count} random settings, seed {seed}: tables differ by at most {worst:.2g}")
    browser.check_quiet("tables")


def test_commands(browser, command, scratch, count=24):
    """The command that the page shows makes files whose table is the page's."""
    chance = random.Random(7)
    model = config(scratch / "it's", head_dim=128)
    page = OUT / "commands.html"
    report(command, model, page, "--context", "16384")
    browser.open(page)
    browser.run("document.getElementById('table').open = true")
    made = 0
    for _ in range(count):
        settings = random_settings(chance)
        settings |= {"headDimension": 128, "rotaryDimension": 128, "length": settings["original"] + 5}
        automatic = settings.pop("automatic")
        browser.turn(settings)
        if automatic:
            browser.turn({"automatic": True})
        shown = browser.table()
        words = shlex.split(shown["command"])
        expect(words[:2] == ["yarn-patch", "patch"], f"no command: {shown['command']}")
        config(scratch / "it's", head_dim=128)
        run = subprocess.run([command, *words[1:], "--no-undo", "--runtime", "formula"], cwd=scratch,
                             capture_output=True, text=True, check=False)
        if run.returncode == 2 and ("beyond" in run.stderr or "window" in run.stderr):
            continue
        expect(run.returncode == 0, f"{shown['command']}: {run.stderr}")
        made += run.returncode == 0
        apart = difference(shown, formula(command, model, settings["length"]))
        expect(apart <= RELATIVE, f"{shown['command']}: the table made differs by {apart}")
    expect(made > count / 2, f"only {made} of {count} commands were possible")
    print(f"{made} of {count} commands made the table that the page shows")


def test_data(browser, pages):
    """What Swift computed for the setting that a page opens with, against the page's own table."""
    for page in pages:
        browser.open(page)
        browser.run("document.querySelector('#spectrum-figure details').open = true")
        browser.settle()
        data, shown = browser.run("""
          const rows = [...document.querySelectorAll("#spectrum-figure tbody tr")];
          return [Object.entries(JSON.parse(document.getElementById("data").textContent).methods),
            rows.map((row) => [...row.children].slice(1).map((cell) => cell.textContent))];""")
        for column, (name, table) in enumerate(data):
            mine = [row[column] for row in shown[:256]]
            apart = max((abs(float(a) - b) / abs(b) for a, b in zip(mine, table)), default=0)
            expect(len(mine) >= len(table) and apart <= RELATIVE, f"{page.stem}: {name}: Swift's table differs by {apart}")


def test_frame(browser, page):
    """A knob's new value is drawn within one frame, at 256 pairs."""
    browser.view(1280, "light")
    browser.open(page)
    times = browser.driver.execute_async_script("""
      const done = arguments[0], times = [], node = document.querySelector("input[type=range][data-knob=factor]");
      const step = (round) => {
        if (round) times.push(Number(document.body.dataset.milliseconds));
        if (round === 60) return done(times);
        node.value = 1 + round / 20;
        node.dispatchEvent(new Event("input", { bubbles: true }));
        requestAnimationFrame(() => setTimeout(() => step(round + 1)));
      };
      step(0);""")
    # Other work on the machine only adds to a time.
    quick, middle = statistics.quantiles(times, n=10)[0], statistics.median(times)
    pairs = browser.run("return JSON.parse(document.getElementById('data').textContent).methods.YaRN.length")
    print(f"a knob at {pairs} pairs: {quick:.1f} ms, median {middle:.1f} ms, at most {max(times):.1f} ms")
    expect(pairs == 256 and quick <= FRAME, f"a knob takes {quick:.1f} ms at {pairs} pairs")


def picture(browser, page, path):
    browser.view(1280, "light", 820)
    browser.open(page)
    browser.settle_search()
    browser.run("document.getElementById('bands').scrollIntoView()")
    browser.settle()
    shot = base64.b64decode(browser.tell("Page.captureScreenshot", {})["data"])
    expect(len(shot) < 200_000, f"the picture has {len(shot)} bytes")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(shot)


def main():
    command = str(pathlib.Path(sys.argv[1]).resolve())
    scratch = OUT / "models"
    shutil.rmtree(OUT, ignore_errors=True)
    scratch.mkdir(parents=True)
    fixtures = ROOT / "fixtures"
    models = {
        "tiny": (fixtures / "models/tiny-llama-ctx256", "--series", str(fixtures / "series/tiny-llama-ctx256.csv")),
        "layers": (fixtures / "config/v5-per-layer",), "wide": (config(scratch / "wide", head_dim=512, rope_theta=1e6),),
        "dynamic": (fixtures / "config/dynamic",), "llama3": (fixtures / "config/llama3",),
    }
    header = ROOT.parent / "shared/corpus/gguf/ggml-vocab-qwen2.gguf"
    if header.exists():
        models["header"] = (header,)
    else:
        print(f"left out: the page of a GGUF's header, {header} is not here")
    # Headers alone are read, however large the file.
    huge = pathlib.Path(shutil.copy(fixtures / "models/tiny-llama-ctx256/tiny-llama-ctx256-f16.gguf", scratch / "huge.gguf"))
    os.truncate(huge, 64 << 30)
    models["huge"] = (huge,)
    for name, model in hostile(scratch):
        models[name] = (model,)
    times = {name: min(report(command, model, OUT / f"{name}.html", *options) for _ in range(3))
             for name, (model, *options) in models.items()}
    if "/release/" in command:
        for name, milliseconds in times.items():
            expect(milliseconds < 200, f"{name}: the page takes {milliseconds:.0f} ms")
    pages = {name: OUT / f"{name}.html" for name in models}
    browser = Browser()
    try:
        test_views(browser, pages.values())
        test_without_script(browser, pages["tiny"])
        test_data(browser, [pages[name] for name in ("tiny", "layers", "wide")])
        test_controls(browser, pages["tiny"])
        test_drag(browser, pages["tiny"])
        test_keyboard(browser, pages["tiny"])
        test_frame(browser, pages["wide"])
        test_tables(browser, command, pages["tiny"], scratch)
        test_commands(browser, command, scratch)
        if "--picture" in sys.argv:
            picture(browser, pages["tiny"], pathlib.Path(sys.argv[sys.argv.index("--picture") + 1]))
    finally:
        browser.driver.quit()
    print(f"{len(failures)} failures" if failures else "the page holds")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
