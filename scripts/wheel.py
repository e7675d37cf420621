"""Packs the built command as a Python wheel (PEP 427): wheel.py COMMAND FOLDER. Prints the wheel's path.

The same command gives the same bytes: order, times and modes are fixed. The platform tag (PEP 600) comes from the symbol
versions that the command needs of the C library, and a command that needs other libraries is refused.
"""

import base64
import hashlib
import pathlib
import re
import struct
import subprocess
import sys
import zipfile

from manual import manual

ROOT = pathlib.Path(__file__).resolve().parent.parent
C_LIBRARY = re.compile(r"(libc|libm|libdl|libpthread|librt|ld-linux[-\w]*)\.so\.\d+$")
ARCHITECTURES = {62: "x86_64", 183: "aarch64"}
# json-c is in the command, and its licence asks to be named.
JSON_C_LICENCE = pathlib.Path("/usr/share/doc/libjson-c-dev/copyright")


def text_at(table, start):
    return table[start : table.index(b"\0", start)].decode()


def platform(elf):
    """The tag of an ELF executable of 64 bits, least byte first: `manylinux_2_34_x86_64`."""
    if elf[:6] != b"\x7fELF\2\1":
        sys.exit("the command is no ELF file of 64 bits, least byte first")
    machine = struct.unpack_from("<H", elf, 18)[0]
    table = struct.unpack_from("<Q", elf, 40)[0]
    size, count = struct.unpack_from("<HH", elf, 58)
    # Of each section: type, offset, size, linked section, number of entries.
    sections = [struct.unpack_from("<4xI16xQQII", elf, table + index * size) for index in range(count)]
    libraries, versions = set(), set()
    for kind, offset, length, link, number in sections:
        names = elf[sections[link][1] :][: sections[link][2]]
        if kind == 6:  # SHT_DYNAMIC: tag and value; 1 is DT_NEEDED
            for place in range(offset, offset + length, 16):
                tag, value = struct.unpack_from("<QQ", elf, place)
                if tag == 1:
                    libraries.add(text_at(names, value))
        elif kind == 0x6FFFFFFE:  # SHT_GNU_verneed: a library each, with a chain of versions
            place = offset
            for _ in range(number):
                versions_count, _file, first, following = struct.unpack_from("<2xHIII", elf, place)
                inner = place + first
                for _ in range(versions_count):
                    name, behind = struct.unpack_from("<8xII", elf, inner)
                    versions.add(text_at(names, name))
                    inner += behind
                place += following
    foreign = sorted(name for name in libraries if not C_LIBRARY.match(name))
    if foreign:
        sys.exit(f"the command needs {', '.join(foreign)}, which a machine may not have: build it with scripts/wheel.sh")
    numbers = [re.fullmatch(r"GLIBC_(\d+)\.(\d+)(\.\d+)?", version) for version in versions]
    if not versions or not all(numbers):
        sys.exit(f"the command needs versions that no tag states: {', '.join(sorted(versions))}")
    major, minor = max((int(number[1]), int(number[2])) for number in numbers)
    return f"manylinux_{major}_{minor}_{ARCHITECTURES[machine]}"


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
License-Expression: Apache-2.0 AND MIT
License-File: LICENSE
License-File: json-c.txt
Requires-Python: >=3.8
Description-Content-Type: text/markdown

{readme}"""
    wheel = f"Wheel-Version: 1.0\nGenerator: yarn-patch\nRoot-Is-Purelib: false\nTag: {tag(command)}\n"
    yield f"{information}/METADATA", metadata.encode(), 0o644
    yield f"{information}/WHEEL", wheel.encode(), 0o644
    yield f"{information}/licenses/LICENSE", (ROOT / "LICENSE").read_bytes(), 0o644
    yield f"{information}/licenses/json-c.txt", JSON_C_LICENCE.read_bytes(), 0o644


def tag(command):
    return f"py3-none-{platform(command.read_bytes())}"


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
    path = folder / f"yarn_patch-{version}-{tag(command)}.whl"
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
