"""Every page at every width and in every scheme, and without its script."""

import time

from expectations import expect

WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
SECTIONS = "summary words rotation bands spectrum dilution decay series dynamic knobs comparison".split()


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


NUMBERS = """
  return Object.fromEntries([...document.querySelectorAll("figure")].map((figure) => [figure.id,
    [...figure.querySelectorAll("tr")].map((row) => [...row.children].map((cell) => cell.textContent))]));
"""


def is_same(mine, its):
    """Texts, or numbers as people read them."""
    try:
        return mine == its or abs(float(mine) - float(its)) <= 1e-3 * abs(float(its)) + 1e-9
    except ValueError:
        return False


def test_first_render(browser, pages):
    """What Swift drew for readers without script has the numbers that the script shows."""
    browser.view(1280, "light")
    for page in pages:
        browser.opened.add(page.as_uri())
        browser.tell("Emulation.setScriptExecutionDisabled", {"value": True})
        browser.driver.get(page.as_uri())
        still = browser.run(NUMBERS)
        browser.tell("Emulation.setScriptExecutionDisabled", {"value": False})
        browser.open(page)
        browser.run("for (const details of document.querySelectorAll('figure details')) details.open = true")
        browser.settle()
        for name, rows in browser.run(NUMBERS).items():
            first = still[name]
            if name == "dilution-figure":
                # The script adds what is expected, and lengths that are not measured.
                rows = [row[:4] for row in rows if row[1] != "not measured"]
            expect(len(first) == len(rows), f"{page.stem}: {name}: {len(first)} rows at first, then {len(rows)}")
            other = [pair for pair in zip(first, rows) if len(pair[0]) != len(pair[1]) or not all(map(is_same, *pair))]
            expect(not other, f"{page.stem}: {name}: at first and then: {other[:2]}")
