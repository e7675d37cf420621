"""What the peers tests share: the command under test, working copies, and the record of what held."""

import hashlib
import json
import math
import shutil
import subprocess
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"
TINY = FIXTURES / "models/tiny-llama-ctx256"
TINY_GGUF = "tiny-llama-ctx256-f16.gguf"


class Refused(Exception):
    """The command ended with another exit code than 0; its message says why."""


class Bench:
    """Runs sections of checks; each check prints what was measured."""

    def __init__(self, command, standard_model, folder):
        self.command, self.standard_model, self.folder = command, Path(standard_model), Path(folder)
        self.sections = []  # [title, held, failed, skipped, seconds]
        self.copies = 0

    # The command and the files it works on

    def run(self, *arguments):
        result = subprocess.run([self.command, *map(str, arguments)], capture_output=True, text=True)
        if result.returncode != 0:
            raise Refused(f"exit code {result.returncode}: {result.stderr.strip()}")
        return result.stdout

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--format", "json"))

    def copy(self, source):
        """A fresh copy of a file or folder."""
        self.copies += 1
        target = self.folder / f"{self.copies}" / source.name
        target.parent.mkdir()
        shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target)
        return target

    def patched(self, source, *options):
        target = self.copy(source)
        self.run("patch", target, *options)
        return target

    # Checks

    def section(self, title, checks):
        print(f"\n{title}")
        self.sections.append([title, 0, 0, 0, 0.0])
        start = time.monotonic()
        try:
            checks(self)
        except Exception:
            self.holds("ends without an exception", False, traceback.format_exc())
        self.sections[-1][4] = time.monotonic() - start

    def holds(self, title, holds, measured):
        self.sections[-1][1 if holds else 2] += 1
        print(f"  {'ok  ' if holds else 'FAIL'}  {title}: {measured}", flush=True)

    def equal(self, title, got, wanted):
        self.holds(title, got == wanted, got if got == wanted else f"{got}, expected {wanted}")

    def skip(self, title, why):
        self.sections[-1][3] += 1
        print(f"  SKIP  {title}: {why}")

    def summary(self):
        """Prints a line for each section; whether all held."""
        width = max(len(row[0]) for row in self.sections)
        totals = [sum(column) for column in list(zip(*self.sections))[1:]]
        print(f"\n{'section':{width}}  held  failed  skipped  seconds")
        for title, held, failed, skipped, seconds in [*self.sections, ["all", *totals]]:
            print(f"{title:{width}}  {held:4}  {failed:6}  {skipped:7}  {seconds:7.0f}")
        held, failed, _, _ = totals
        return failed == 0 and held > 0


def worst_difference(got, wanted):
    """The largest relative difference of two lists, infinite when a zero or the length is not met."""
    if len(got) != len(wanted):
        return math.inf
    return max(abs(g - w) / abs(w) if w else (0 if g == 0 else math.inf) for g, w in zip(got, wanted))


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
