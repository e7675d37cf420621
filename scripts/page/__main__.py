"""The page of `yarn-patch report` in the real browser.

    python scripts/page COMMAND

Opens the pages of a trained model, a GGUF's header, configs in several layouts and hostile files, at two widths, light and
dark: nothing on the console, no request leaves a page, every control changes what it should, the keyboard reaches all of
them, for random settings the tables equal those of `yarn-patch table --runtime formula`, and paper shows all of it.
Screenshots stay in .build/page. YARN_PATCH_SEED repeats a run's random settings; YARN_PATCH_WRITE_GOLDENS makes the README's
picture anew. `scripts/test-page.sh` installs the browser.
"""

import pathlib
import shutil
import sys

import controls
import models
import paper
import picture
import tables
import views
from browser import Browser
from expectations import failures


def main():
    command = str(pathlib.Path(sys.argv[1]).resolve())
    scratch = models.OUT / "models"
    shutil.rmtree(models.OUT, ignore_errors=True)
    scratch.mkdir(parents=True)
    pages = models.make_all(command, scratch)
    healthy = [pages[name] for name in ("tiny", "layers", "nested", "wide", "dynamic")]
    browser = Browser()
    try:
        views.test_views(browser, pages.values())
        views.test_without_script(browser, pages["tiny"])
        views.test_first_render(browser, healthy)
        tables.test_data(browser, healthy)
        controls.test_controls(browser, pages["tiny"])
        controls.test_drag(browser, pages["tiny"])
        controls.test_reading(browser, pages["tiny"])
        controls.test_keyboard(browser, pages["tiny"])
        controls.test_frame(browser, pages["wide"])
        tables.test_tables(browser, command, pages["tiny"], scratch)
        tables.test_commands(browser, command, scratch)
        tables.test_layouts(browser, command, scratch)
        paper.test_paper(browser, [pages[name] for name in ("tiny", "layers", "wide", "hostile-keys")])
        picture.test_picture(browser, pages["tiny"])
    finally:
        browser.driver.quit()
    print(f"{len(failures)} failures" if failures else "the page holds")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
