"""Crashes of the real command on real file systems; after each, `recover` must leave the old bytes or the new ones.

    python3 scripts/crash COMMAND [--runs N] [--trials N] [--folder PATH] [--seed N]

Kills: processes ended by SIGKILL at random moments, N runs over all ways to change a model, some of them on ext4, xfs and
btrfs in image files. Power cuts: the file system is shut down without its log while blocks are inserted into a badly
fragmented file. What cannot be had here is skipped, with the reason.
"""

import argparse
import pathlib
import random
import shutil
import subprocess
import tempfile
import time

from images import Skipped, make, mounted
from kills import cases, kill
from powercuts import cut

# Name, mkfs, its options.
SYSTEMS = [
    ("ext4", "ext4", []),
    ("xfs", "xfs", []),
    ("xfs without shared blocks", "xfs", ["-m", "reflink=0"]),
    ("btrfs", "btrfs", []),
]
# Name, mkfs, its options, extents, share of the trials, longest wait in microseconds.
POWERCUTS = [("ext4", "ext4", [], 25_000, 1, 3000), ("xfs", "xfs", ["-m", "reflink=0"], 25_000, 0.1, 30_000)]


def kill_everywhere(command, runs, folder):
    """Three fifths of the runs in the folder itself, the others on images."""
    every = cases()
    own = runs * 3 // 5
    for index, case in enumerate(every):
        print("kills, here, " + kill(command, folder, case, own // len(every) + (index < own % len(every))), flush=True)
    share = (runs - own) // len(SYSTEMS)
    for name, kind, options in SYSTEMS:
        chosen = [case for case in every if case.name in ("grow", "undo of grow")]
        try:
            image = make(kind, folder.parent / "image", 1 << 30, *options)
            with mounted(image, folder.parent / "mount") as mount:
                (mount / "m").mkdir()
                for case in chosen:
                    print(f"kills, {name}, " + kill(command, mount / "m", case, share // len(chosen)), flush=True)
        except Skipped as reason:
            print(f"kills, {name}: skipped, {reason}; these runs are made here instead")
            print("kills, here, " + kill(command, folder, chosen[0], share), flush=True)


def cut_everywhere(command, trials, folder):
    tool = str(folder / "powercut")
    compiler = shutil.which("cc") or shutil.which("clang")
    if compiler is None:
        print("power cuts: skipped, there is no C compiler")
        return
    source = pathlib.Path(__file__).parent / "powercut.c"
    subprocess.run([compiler, "-O2", "-pthread", str(source), "-o", tool], check=True)
    for name, kind, options, pairs, share, longest in POWERCUTS:
        try:
            image = make(kind, folder / "image", 1 << 30, *options)
            count = max(1, int(trials * share))
            print(f"{name}: " + cut(command, tool, image, folder / "mount", pairs, count, longest), flush=True)
        except Skipped as reason:
            print(f"power cuts, {name}: skipped, {reason}")
    print("power cuts, btrfs: skipped, nothing is inserted there: a new file shares the blocks")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--folder", help="where files and images are made; the usual temporary folder otherwise")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    options = parser.parse_args()
    random.seed(options.seed)
    print(f"seed {options.seed}")
    command = str(options.command.resolve())
    start = time.monotonic()
    # Stays there when something fails, to be looked at.
    folder = pathlib.Path(tempfile.mkdtemp(dir=options.folder, prefix="yarn-patch-crash-"))
    (folder / "model").mkdir()
    if options.runs:
        kill_everywhere(command, options.runs, folder / "model")
    if options.trials:
        cut_everywhere(command, options.trials, folder)
    shutil.rmtree(folder)
    print(f"all as it should be, {time.monotonic() - start:.0f} s")


main()
