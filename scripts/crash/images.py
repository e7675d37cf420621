"""File systems in image files, mounted for a test."""

import contextlib
import os
import shutil
import subprocess


class Skipped(Exception):
    """Why a file system cannot be had here."""


def call(*command):
    return subprocess.run(command, capture_output=True, text=True)


@contextlib.contextmanager
def mounted(image, folder):
    folder.mkdir(exist_ok=True)
    result = call("mount", "-o", "loop", str(image), str(folder))
    if result.returncode:
        raise Skipped(f"it cannot be mounted: {result.stderr.strip()}")
    try:
        yield folder
    finally:
        call("umount", str(folder))


def make(kind, image, size, *options):
    """An image file with a new file system."""
    tool = shutil.which(f"mkfs.{kind}") or shutil.which(f"mkfs.{kind}", path="/usr/sbin:/sbin")
    if os.geteuid() != 0:
        raise Skipped("only root can mount an image")
    if tool is None:
        raise Skipped(f"mkfs.{kind} is not installed")
    with open(image, "wb") as file:
        file.truncate(size)
    quiet = ["-F", "-q"] if kind == "ext4" else ["-f", "-q"]
    result = call(tool, *quiet, *options, str(image))
    if result.returncode:
        raise Skipped(f"mkfs.{kind} failed: {result.stderr.strip()}")
    return image
