"""The page on paper: nothing cut off, no controls, every table, dark on white."""

import base64
import re

from expectations import expect
from models import OUT

# A4 without the margins that browsers leave, at 96 dots per inch.
WIDTH = 717

CUT_OFF = """
  const width = document.documentElement.clientWidth;
  const name = (node) => `${node.tagName}.${node.className} of ${node.closest("section")?.id}`;
  const outside = [...document.querySelectorAll("body *:not(svg *)")].filter((node) => {
    const box = node.getBoundingClientRect();
    return box.width > 0 && (box.right > width + 1 || box.left < -1);
  });
  const scrolled = [...document.querySelectorAll(".numbers, pre, .drawing")].filter((node) =>
    node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1);
  return [...outside, ...scrolled].map(name);
"""


def test_paper(browser, pages):
    for page in pages:
        for scheme in ("light", "dark"):
            where = f"{page.stem} on paper, {scheme}"
            browser.view(WIDTH, scheme, medium="print")
            browser.open(page)
            browser.settle_search()
            browser.run("window.dispatchEvent(new Event('beforeprint'))")
            browser.settle()
            cut = browser.run(CUT_OFF)
            expect(not cut, f"{where}: cut off: {cut[:4]}")
            seen = browser.run("""
              const shown = (selector) => [...document.querySelectorAll(selector)].filter((node) => node.getClientRects().length);
              return { controls: shown("input, select, button, nav, #tip").length, setting: shown("#setting").length,
                tables: shown("table").length, allTables: document.querySelectorAll("table").length };""")
            expect(seen["controls"] == 0, f"{where}: {seen['controls']} controls")
            expect(seen["setting"] == 1, f"{where}: the setting is not stated")
            expect(seen["tables"] == seen["allTables"], f"{where}: {seen}")
            colours = browser.run("""
              const style = (selector) => getComputedStyle(document.querySelector(selector));
              return [style("body").backgroundColor, style("#decay-figure .page").fill, style("body").color];""")
            expect(colours[:2] == ["rgb(255, 255, 255)"] * 2 and colours[2] == "rgb(28, 29, 33)", f"{where}: {colours}")
            browser.shoot(f"{page.stem}-paper-{scheme}.png")
            browser.run("window.dispatchEvent(new Event('afterprint'))")
            left = browser.run("return document.querySelectorAll('details[open]').length")
            expect(left == 0, f"{where}: {left} tables stay open")
        browser.view(1280, "dark")
        browser.open(page)
        printed = base64.b64decode(browser.tell("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})["data"])
        (OUT / f"{page.stem}.pdf").write_bytes(printed)
        sheets = len(re.findall(rb"/Type\s*/Page\b", printed))
        expect(sheets >= 5, f"{page.stem}: {sheets} sheets are printed")
        browser.check_quiet(f"{page.stem} on paper")
