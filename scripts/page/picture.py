"""The README's picture of the page, which has to look like the page."""

import base64
import os
import shutil

from expectations import expect
from models import OUT, ROOT

KEPT = ROOT / "docs/page.png"
LARGEST = 200_000
# Two machines draw the edges of letters differently; what has moved is more than that.
TOLERANCE = 0.003

# Share of squares of eight pixels whose mean colour differs by more than a tenth.
DIFFERENCE = """
  const [texts, done] = [[arguments[0], arguments[1]], arguments[2]];
  const read = async (text) => {
    const image = new Image();
    image.src = `data:image/png;base64,${text}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, image.width, image.height);
  };
  const means = ({ data, width, height }) => {
    const across = Math.ceil(width / 8), sums = new Float64Array(across * Math.ceil(height / 8) * 3);
    for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) for (let c = 0; c < 3; c += 1)
      sums[3 * (across * (y >> 3) + (x >> 3)) + c] += data[4 * (y * width + x) + c] / 64;
    return sums;
  };
  Promise.all(texts.map(read)).then(([mine, its]) => {
    if (mine.width !== its.width || mine.height !== its.height) return done(1);
    const [a, b] = [means(mine), means(its)];
    let count = 0;
    for (let i = 0; i < a.length; i += 3) count += [0, 1, 2].some((c) => Math.abs(a[i + c] - b[i + c]) > 25.5);
    done(count / (a.length / 3));
  });
"""

# Whether the page is set in the letters of the kept picture.
LETTERS = """
  const context = document.createElement("canvas").getContext("2d");
  const width = (family) => {
    context.font = `16px ${family}`;
    return context.measureText("Every pair's wavelength and its region").width;
  };
  return width(getComputedStyle(document.body).fontFamily) === width('"DejaVu Sans", monospace');
"""


def test_picture(browser, page):
    browser.view(1280, "light", 660)
    browser.open(page)
    browser.settle_search()
    browser.run("document.getElementById('bands').scrollIntoView()")
    browser.settle()
    text = browser.tell("Page.captureScreenshot", {})["data"]
    fresh = OUT / "page.png"
    fresh.write_bytes(base64.b64decode(text))
    expect(fresh.stat().st_size < LARGEST, f"the picture has {fresh.stat().st_size} bytes")
    if os.environ.get("YARN_PATCH_WRITE_GOLDENS"):
        shutil.copy(fresh, KEPT)
        return
    if not browser.run(LETTERS):
        print("SKIP: the README's picture is not compared: the page is set in other letters here than DejaVu Sans")
        return
    browser.driver.get("about:blank")
    kept = base64.b64encode(KEPT.read_bytes()).decode()
    share = browser.driver.execute_async_script(DIFFERENCE, text, kept)
    print(f"the README's picture differs from the page in {100 * share:.2f} % of its squares")
    expect(share <= TOLERANCE, f"docs/page.png is stale: it differs from {fresh} in {100 * share:.1f} % of its squares; look at "
           "that one, and if it is as it should be, run YARN_PATCH_WRITE_GOLDENS=1 make test-page")
