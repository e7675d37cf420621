"""Runs a command and says what it took: seconds, processor seconds, bytes through system calls, peak memory."""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

# A process inherits the peak of the one that started it, so a small one starts what is to be measured.
PEAK = """
import os, sys
silent = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=silent)
print(os.wait4(process, 0)[2].ru_maxrss)
"""


@dataclass
class Result:
    output: bytes
    seconds: float
    processor: float
    read: int
    written: int


def run(*arguments):
    """Raises when the command fails."""
    arguments = [str(argument) for argument in arguments]
    start = time.perf_counter()
    errors = tempfile.TemporaryFile()
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=errors)
    output = process.stdout.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    seconds = time.perf_counter() - start
    # What has ended and was not waited for still has its counters.
    with open(f"/proc/{process.pid}/io") as file:
        counts = dict(line.split(": ") for line in file.read().splitlines())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    errors.seek(0)
    if process.returncode != 0:
        sys.exit(f"{' '.join(arguments)} ended with exit code {process.returncode}: {errors.read().decode()}")
    processor = usage.ru_utime + usage.ru_stime
    return Result(output, seconds, processor, int(counts["rchar"]), int(counts["wchar"]) - len(output))


def peak(*arguments):
    """Bytes of memory at the highest."""
    command = [sys.executable, "-SEc", PEAK, *map(str, arguments)]
    return int(subprocess.run(command, capture_output=True, check=True).stdout) * 1024


class Gates:
    """What has to hold; prints each with what was measured."""

    def __init__(self):
        self.failed = 0

    def holds(self, title, holds, measured):
        self.failed += not holds
        print(f"    {'ok  ' if holds else 'FAIL'}  {title}: {measured}", flush=True)
