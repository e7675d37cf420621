"""Processes killed at random moments."""

import contextlib
import os
import random
import subprocess
import time

from models import gguf, lay_out, snapshot

LARGE = 17 << 20  # above this size no file is written anew by hand
CONFIG = b"""{
  "model_type": "llama", "hidden_size": 128, "num_attention_heads": 2, "num_key_value_heads": 2,
  "max_position_embeddings": 4096, "rope_theta": 10000.0, "rope_scaling": null
}
"""


class Case:
    """One way to change a model: what is there, the command, and whether another program has the file open."""

    def __init__(self, name, files, arguments, undoes=False, is_open=False, makes=None):
        self.name, self.files, self.arguments = name, files, arguments
        self.undoes, self.is_open, self.makes = undoes, is_open, makes


def cases():
    plain, scaled, small = gguf(LARGE), gguf(LARGE, scaled=True), gguf(4096)
    patch = ["patch", "m.gguf", "--factor", "4", "--format", "json"]
    both = {"m.gguf": small, "config.json": CONFIG}
    return [
        Case("grow", {"m.gguf": plain}, patch),
        Case("grow, file in use", {"m.gguf": plain}, patch, is_open=True),
        Case("same size", {"m.gguf": scaled}, patch),
        Case("folder", both, ["patch", ".", "--factor", "4", "--format", "json"]),
        Case("output", {"m.gguf": plain}, patch + ["--output", "new.gguf"], makes="new.gguf"),
        Case("undo of grow", {"m.gguf": plain}, patch, undoes=True),
        Case("undo of folder", both, ["patch", ".", "--factor", "4", "--format", "json"], undoes=True),
    ]


def run(command, folder, *arguments):
    result = subprocess.run([command, *arguments], cwd=folder, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{result.stderr}{result.stdout}")
    return result.stdout


def kill_at_random(command, folder, arguments, duration):
    """Whether the process was still there to be killed."""
    process = subprocess.Popen(
        [command, *arguments], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(random.uniform(0, duration))
    process.kill()
    return process.wait() < 0


def kill(command, folder, case, runs):
    """Kills the case's command again and again; gives what is to be printed of it."""
    model = case.arguments[1]
    lay_out(folder, case.files)
    with contextlib.ExitStack() as stack:
        if case.is_open:
            stack.enter_context(open(folder / "m.gguf", "rb"))
        start = time.monotonic()
        report = run(command, folder, *case.arguments)
        duration = time.monotonic() - start
    strategy = report.split('"strategy": "')[1].split('"')[0]
    old, new = case.files, snapshot(folder)
    before = {name: (folder / name).read_bytes() for name in os.listdir(folder)} if case.undoes else case.files
    arguments = ["undo", model] if case.undoes else case.arguments
    counts = {"killed": 0, "recovered": 0, "old": 0, "new": 0}
    for number in range(runs):
        lay_out(folder, before)
        with contextlib.ExitStack() as stack:
            if case.is_open:
                stack.enter_context(open(folder / "m.gguf", "rb"))
            counts["killed"] += kill_at_random(command, folder, arguments, duration * 1.1)
        counts["recovered"] += "nothing to recover" not in run(command, folder, "recover", model)
        now = snapshot(folder)
        if now != old and now != new:
            raise SystemExit(f"{case.name}, run {number}: a third state is left in {folder}")
        counts["new" if now == new else "old"] += 1
        if now == new and case.makes is None:
            run(command, folder, "undo", model)
            if snapshot(folder) != old:
                raise SystemExit(f"{case.name}, run {number}: undo does not restore {folder}")
    return f"{case.name} ({strategy}): {runs} runs, " + ", ".join(f"{value} {key}" for key, value in counts.items())
