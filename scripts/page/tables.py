"""The page's numbers against those of the command."""

import json
import math
import os
import random
import shlex
import shutil
import subprocess
import time

from expectations import expect
from models import OUT, ROOT, config, report

RELATIVE = 1e-12


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


LAYOUTS = ["yarn-old", "yarn-both-types", "both-layouts", "v5-flat", "v5-yarn", "v5-per-layer", "nested-text-config",
           "nested-thinker", "nested-llm-config", "partial-rotary", "dynamic", "linear", "llama-no-scaling-key"]
SECTIONS = ("text_config", "thinker_config", "llm_config")


def filled(old, members):
    """A config with the page's members in the place of its own."""
    new = dict(old)
    for key, value in members.items():
        new[key] = filled(old[key], value) if key in SECTIONS else value
    return new


def test_layouts(browser, command, scratch):
    """The members that the page shows are what the page's command writes, in the layout of the file."""
    made = 0
    for layout in LAYOUTS:
        kept = ROOT / "fixtures/config" / layout / "config.json"
        page = OUT / "layout.html"
        report(command, kept.parent, page)
        browser.open(page)
        for settings in ({}, {"method": "linear"}, {"method": "ntk"}, {"method": "none"}, {"method": "dynamic"},
                         {"method": "yarn", "factor": 2.6, "original": 2051, "base": 20000}):
            browser.turn(settings)
            shown = browser.table()
            folder = scratch / "layouts" / layout
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(kept, folder)
            words = shlex.split(shown["command"])
            run = subprocess.run([command, *words[1:], "--no-undo"], cwd=folder.parent, capture_output=True, text=True, check=False)
            if run.returncode == 2:
                continue
            made += 1
            removed = browser.run("return document.getElementById('removed').textContent")
            wanted = filled(json.loads(kept.read_text()), shown["members"])
            written = json.loads((folder / "config.json").read_text())
            expect(wanted == written and not removed, f"{layout}, {shown['command']}: {run.stderr} {removed} {shown['members']} but {written}")
    print(f"{made} of {6 * len(LAYOUTS)} commands wrote the members that the page shows")
    expect(made > 3 * len(LAYOUTS), f"only {made} commands were possible")


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
