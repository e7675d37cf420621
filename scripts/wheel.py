"""Packs the built command as a Python wheel (PEP 427): wheel.py COMMAND FOLDER. Prints the wheel's path.

The same command gives the same bytes: order, times and modes are fixed. A command that needs a library is refused: the
platform tags (PEP 599, PEP 656) are the widest that pip knows.
"""

import base64
import hashlib
import pathlib
import struct
import subprocess
import sys
import zipfile

from manual import manual

ROOT = pathlib.Path(__file__).resolve().parent.parent
ARCHITECTURES = {62: "x86_64", 183: "aarch64"}
# What the command carries besides the Swift library, by licences that ask to be named.
LICENCES = {
    "json-c": pathlib.Path("/usr/share/doc/libjson-c-dev/copyright"),
    "glibc": pathlib.Path("/usr/share/doc/libc6-dev/copyright"),
}


def platforms(elf):
    """The tags of a static ELF executable of 64 bits, least byte first."""
    if elf[:6] != b"\x7fELF\2\1":
        sys.exit("the command is no ELF file of 64 bits, least byte first")
    machine = ARCHITECTURES[struct.unpack_from("<H", elf, 18)[0]]
    table = struct.unpack_from("<Q", elf, 32)[0]
    size, count = struct.unpack_from("<HH", elf, 54)
    kinds = {struct.unpack_from("<I", elf, table + index * size)[0] for index in range(count)}
    if kinds & {2, 3}:  # PT_DYNAMIC, PT_INTERP
        sys.exit("the command needs libraries, which a machine may not have: build it with make wheel")
    return [f"{system}_{machine}" for system in ("manylinux2014", "musllinux_1_1")]


def files(command, version):
    """Path in the wheel, content and mode of every file but RECORD."""
    name = f"yarn_patch-{version}"

    def output(*arguments):
        return subprocess.run([command, *arguments], check=True, capture_output=True).stdout

    shared = f"{name}.data/data/share"
    yield f"{name}.data/scripts/yarn-patch", command.read_bytes(), 0o755
    yield f"{shared}/man/man1/yarn-patch.1", manual(output("--experimental-dump-help"), version).encode(), 0o644
    for shell, place in [
        ("bash", "bash-completion/completions/yarn-patch"),
        ("zsh", "zsh/site-functions/_yarn-patch"),
        ("fish", "fish/vendor_completions.d/yarn-patch.fish"),
    ]:
        yield f"{shared}/{place}", output("--generate-completion-script", shell), 0o644
    information = f"{name}.dist-info"
    readme = (ROOT / "README.md").read_text()
    metadata = f"""Metadata-Version: 2.4
Name: yarn-patch
Version: {version}
Summary: Reads, validates, rewrites and proves a language model's RoPE scaling (YaRN)
License-Expression: Apache-2.0 AND MIT AND LGPL-2.1-or-later
License-File: LICENSE
License-File: json-c.txt
License-File: glibc.txt
Requires-Python: >=3.8
Description-Content-Type: text/markdown

{readme}"""
    tags = "".join(f"Tag: py3-none-{platform}\n" for platform in platforms(command.read_bytes()))
    wheel = f"Wheel-Version: 1.0\nGenerator: yarn-patch\nRoot-Is-Purelib: false\n{tags}"
    yield f"{information}/METADATA", metadata.encode(), 0o644
    yield f"{information}/WHEEL", wheel.encode(), 0o644
    yield f"{information}/licenses/LICENSE", (ROOT / "LICENSE").read_bytes(), 0o644
    for name, licence in LICENCES.items():
        yield f"{information}/licenses/{name}.txt", licence.read_bytes(), 0o644


def record(entries, place):
    """Path, digest and size of each file; the record itself has neither (PEP 427, PEP 376)."""
    lines = []
    for path, content, _ in entries:
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(content)}\n")
    return "".join(lines) + f"{place},,\n"


def main():
    command, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    version = subprocess.run([command, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    entries = list(files(command, version))
    place = f"yarn_patch-{version}.dist-info/RECORD"
    entries.append((place, record(entries, place).encode(), 0o644))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"yarn_patch-{version}-py3-none-{'.'.join(platforms(command.read_bytes()))}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content, mode in entries:
            # The earliest time that the format can state.
            item = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            item.create_system = 3  # Unix, so that the mode counts
            item.external_attr = (0o100000 | mode) << 16
            item.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(item, content)
    print(path)


if __name__ == "__main__":
    main()
