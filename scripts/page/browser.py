"""Debian's chromium, as a reader uses it."""

import base64
import json
import shutil
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from expectations import expect
from models import OUT


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

    def view(self, width, scheme, height=900, medium=""):
        self.size = (width, height)
        self.tell("Emulation.setEmulatedMedia", {
            "media": medium, "features": [{"name": "prefers-color-scheme", "value": scheme}]})
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
