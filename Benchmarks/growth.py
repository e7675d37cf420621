"""How long growing a GGUF's header takes on a real model and on one of 20 GB, beside gguf-py's script that copies.

    growth.py COMMAND [MODEL [FOLDER]]

COMMAND is the built yarn-patch, MODEL a GGUF of some 100 MB, FOLDER a place on a file system to measure, the temporary
folder by default. The tensor data is compared first, and the bytes that go through system calls are counted.
"""

import hashlib
import json
import os
import shutil
import struct
import sys
import tempfile
from pathlib import Path

from child import Gates, peak, run

ROUNDS = 9
LARGE, WRITTEN = 20 << 30, 4 << 30
ALIGNMENT = 32
SCRIPT = Path(sys.executable).parent / "gguf-new-metadata"


def large_model(path, size, written):
    """A llama of one large tensor for each GiB; all blocks are allocated and the first ones written."""

    def text(content):
        return struct.pack("<Q", len(content)) + content.encode()

    width = 4096
    numbers = {"context_length": 4096, "embedding_length": width, "block_count": 1, "attention.head_count": 32}
    entries = [text("general.architecture") + struct.pack("<I", 8) + text("llama")]
    entries += [text(f"llama.{key}") + struct.pack("<II", 4, value) for key, value in numbers.items()]
    entries.append(text("llama.rope.freq_base") + struct.pack("<If", 6, 10000))
    count = size >> 30
    tensors = [
        text(f"blk.{i}.ffn_up.weight") + struct.pack("<IQQIQ", 2, width, 1 << 17, 1, i << 30) for i in range(count)
    ]
    header = b"GGUF" + struct.pack("<IQQ", 3, count, len(entries)) + b"".join(entries + tensors)
    header += bytes(-len(header) % ALIGNMENT)
    with open(path, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, len(header) + (count << 30))
        file.write(header)
        piece = os.urandom(16 << 20)
        for _ in range(written // len(piece)):
            file.write(piece)
        os.fsync(file.fileno())


def data(path, offset, everything):
    """A digest of the tensor data, of samples of it for a large file."""
    digest = hashlib.sha256()
    size = path.stat().st_size - offset
    digest.update(str(size).encode())
    with open(path, "rb") as file:
        for start in range(0, size, 1 << 20 if everything else 61 << 20):
            file.seek(offset + start)
            digest.update(file.read(1 << 20))
    return digest.hexdigest()


def header_end(command, path):
    model = json.loads(run(command, "inspect", path, "--format", "json").output)["models"][0]
    return model["gguf"]["dataOffset"]


class Growth:
    """One file that is patched and put back again and again."""

    def __init__(self, name, command, path):
        self.name, self.command, self.path = name, command, path
        self.patch = [command, "patch", path, "--factor", "4", "--runtime", "llama.cpp", "--format", "json"]
        self.strategy = json.loads(run(*self.patch, "--dry-run").output)["strategy"]
        self.header = header_end(command, path)
        self.grown, self.undone = [], []

    def check(self, gates, everything):
        before = data(self.path, self.header, everything)
        run(*self.patch)
        after = data(self.path, header_end(self.command, self.path), everything)
        gates.holds(f"{self.name}: the data is the same after the patch", before == after, after[:16])
        run(self.command, "undo", self.path)
        again = data(self.path, header_end(self.command, self.path), everything)
        gates.holds(f"{self.name}: and after its undo", before == again, again[:16])

    def turn(self):
        self.grown.append(run(*self.patch))
        self.undone.append(run(self.command, "undo", self.path))

    @property
    def shortest(self):
        return min(result.seconds for result in self.grown)

    def report(self, gates):
        memory = peak(*self.patch)
        run(self.command, "undo", self.path)
        median = sorted(result.seconds for result in self.grown)[len(self.grown) // 2]
        read, written = (max(getattr(r, field) for r in self.grown) for field in ("read", "written"))
        undo = min(result.seconds for result in self.undone)
        print(
            f"    {self.name:28} {self.strategy:12} {self.shortest * 1e3:8.1f} {median * 1e3:8.1f} ms, undo "
            f"{undo * 1e3:8.1f} ms {memory / 2**20:6.1f} MiB  {read:>12,} {written:>12,} bytes"
        )
        if self.strategy == "insert-range":
            bound = 3 * self.header + (64 << 10)
            gates.holds(f"{self.name}: at most {bound:,} bytes written", written <= bound, f"{written:,}")
            gates.holds(f"{self.name}: within 30 ms", self.shortest < 0.030, f"{self.shortest * 1e3:.1f} ms")


def script(model, folder):
    """gguf-py's way to change one key: a copy of the whole file."""
    copy = folder / "copy.gguf"
    arguments = [SCRIPT, "--force", "--general-name", "grown", model, copy]
    result = min((run(*arguments) for _ in range(2)), key=lambda result: result.seconds)
    memory = peak(*arguments)
    copy.unlink()
    return result, memory


def main(command, model=None, place=None):
    gates = Gates()
    with tempfile.TemporaryDirectory(dir=place) as folder:
        folder = Path(folder)
        print(f"    {'':28} {'':12} {'shortest':>8} {'median':>8}{'':35} {'read':>12} {'written':>12}")
        files = []
        if model and Path(model).exists():
            real = folder / Path(model).name
            shutil.copyfile(model, real)
            files.append(Growth(f"{real.stat().st_size / 1e6:.0f} MB, a real model", command, real))
            files[0].check(gates, everything=True)
        else:
            print("    SKIP  the real model is not here: make test-peers fetches it")

        # A tenth of the disk stays free. A copy of such a file says nothing new, and takes minutes.
        room = int(shutil.disk_usage(folder).free * 0.9)
        size = min(LARGE, room >> 30 << 30)
        if size < LARGE:
            print(f"    the disk has no room for 20 GiB, so {size >> 30} GiB are measured")
        probe = folder / "probe.gguf"
        large_model(probe, 1 << 30, 0)
        strategy = Growth("", command, probe).strategy
        probe.unlink()
        if strategy != "insert-range":
            print(f"    SKIP  {size >> 30} GiB: the strategy here is {strategy}, not insert-range")
        elif size > 0:
            large = folder / "large.gguf"
            written = min(WRITTEN, size // 5)
            large_model(large, size, written)
            files.append(Growth(f"{size >> 30} GiB, {written / 2**30:.0f} GiB written", command, large))
            files[-1].check(gates, everything=False)

        for _ in range(ROUNDS):
            for file in files:
                file.turn()
        for file in files:
            file.report(gates)
        if len(files) == 2 and files[0].strategy == files[1].strategy == "insert-range":
            ratio = files[1].shortest / files[0].shortest
            gates.holds("the large file takes the same time", 1 / 2 < ratio < 2, f"{ratio:.2f} ×")
        if files and SCRIPT.exists():
            result, memory = script(model, folder)
            print(
                f"    {'gguf-py, gguf-new-metadata':28} {'copy':12} {result.seconds * 1e3:8.1f} ms"
                f" = {result.seconds / files[0].shortest:.0f} × ours {memory / 2**20:6.1f} MiB"
                f"  {result.read:>12,} {result.written:>12,} bytes"
            )
    return gates.failed > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
