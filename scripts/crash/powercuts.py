"""Power cuts while blocks are inserted into a badly fragmented file."""

import os
import random
import subprocess

from images import mounted
from kills import run
from models import gguf_header

BLOCK = 4096


def stamp(path, block):
    """The number that a block of the file holds; see powercut.c."""
    with open(path, "rb") as file:
        file.seek(block * BLOCK)
        return int.from_bytes(file.read(8), "little")


def state(path, pairs):
    """What a power cut left: the old file, one whose blocks have all moved, or one between."""
    growth = os.path.getsize(path) - pairs * 2 * BLOCK
    if growth == 0:
        return "old"
    moved = growth // BLOCK
    # The last block moves first; block 0 holds the header, and the blocks of the first pair move last.
    return "moved" if stamp(path, 2 + moved) == 1 else "torn"


def cut(command, tool, image, folder, pairs, trials, longest):
    """Cuts the power in a patch again and again, each time followed by `recover`; gives what is to be printed.

    The cut comes at random up to `longest` microseconds after the file's new length shows. One that comes when the patch
    is done is made again, once `undo` has restored the file.
    """
    header, path = image.parent / "header", folder / "m.gguf"
    header.write_bytes(gguf_header(-pairs * 2 * BLOCK))
    with mounted(image, folder):
        subprocess.run([tool, "make", path, header, str(pairs)], check=True)
    counts = {"old": 0, "torn": 0, "moved": 0}
    late = 0
    while (number := sum(counts.values())) < trials:
        with mounted(image, folder):
            cutter = subprocess.Popen(
                [tool, "cut", folder, path, str(random.randrange(longest))], stdout=subprocess.PIPE, text=True)
            cutter.stdout.readline()
            patch = subprocess.run([command, "patch", path, "--factor", "4"], capture_output=True, text=True)
            if cutter.wait() or cutter.stdout.read() != "cut\n":
                raise SystemExit(f"trial {number}: no blocks were inserted\n{patch.stdout}{patch.stderr}")
        with mounted(image, folder):
            left = state(path, pairs)
            if "nothing to recover" in run(command, folder, "recover", "m.gguf") and left == "moved":
                run(command, folder, "undo", "m.gguf")
                late += 1
            else:
                counts[left] += 1
            comparison = [tool, "compare", path, header, str(pairs)]
            found = subprocess.run(comparison, capture_output=True, text=True).stdout.strip()
            if found != "same":
                raise SystemExit(f"trial {number}: not repaired, {found}; see {image}")
        if (number + 1) % 20 == 0:
            print(f"  {number + 1} of {trials}: {counts}, {late} late", flush=True)
    left = ", ".join(f"{value} {key}" for key, value in counts.items())
    return f"{trials} power cuts in an insertion before {pairs} extents left {left}; all repaired ({late} came late)"
