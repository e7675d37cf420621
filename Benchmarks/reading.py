"""How long large headers take to read, beside ggml, llama.cpp, gguf-py and the safetensors package in the same run.

    reading.py COMMAND

COMMAND is the built yarn-patch. The packages are those of the Python that runs this; what is missing is passed over.
Counts are compared first. Peers are measured inside this process, so their own start costs them nothing; the walk is
what `inspect` takes beyond the same command on a header of a few keys. Processor time, the shortest of interleaved runs.
"""

import ctypes
import json
import struct
import sys
import tempfile
import time
from pathlib import Path

from child import Gates, peak, run
from forecast import gguf

ROUNDS = 15
MEMORY = 16 << 20
START_UP = 0.005


# Inputs


def safetensors(count):
    """A header of `count` tensors as a mixture of experts has them, and as much data, which takes no room on the disk."""
    entries, end = {"__metadata__": {"format": "pt"}}, 0
    for i in range(count):
        kind = ("gate_proj", "up_proj", "down_proj")[i % 3]
        name = f"language_model.model.layers.{i // 1536}.block_sparse_moe.with_routed_experts.{i // 3 % 512}.{kind}.weight_packed"
        entries[name] = {"dtype": "BF16", "shape": [2048, 7168 + i % 7], "data_offsets": [end, end + 4096 * (7168 + i % 7)]}
        end += 4096 * (7168 + i % 7)
        if i % 20 == 0:
            entries[name.replace("routed", "shared_experts")] = {
                "dtype": "F32", "shape": [], "data_offsets": [end, end + 4]}  # fmt: skip
            end += 4
        if len(entries) > count:
            break
    text = json.dumps(entries, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text, 8 + len(text) + end


def many_keys(count):
    """More keys than any file has; their values say nothing."""
    keys = [("general.architecture", struct.pack("<IQ", 8, 5) + b"llama")]
    keys += [(f"key.{i}", struct.pack("<IB", 0, 1)) for i in range(count)]
    header = b"GGUF" + struct.pack("<IQQ", 3, 0, len(keys))
    return header + b"".join(struct.pack("<Q", len(key)) + key.encode() + value for key, value in keys)


def write(path, content, size=None):
    path.write_bytes(content)
    if size is not None:
        with open(path, "r+b") as file:
            file.truncate(size)
    return path


# Peers: each gives a function that reads the file, says how long it took, and fails when it finds another count


def timed(read):
    start = time.process_time()
    value = read()
    return value, time.process_time() - start


def ggml(path, count):
    import llama_cpp

    class Parameters(ctypes.Structure):
        _fields_ = [("no_alloc", ctypes.c_bool), ("context", ctypes.c_void_p)]

    library = ctypes.CDLL(str(Path(llama_cpp.__file__).parent / "lib/libggml-base.so"))
    library.gguf_init_from_file.restype = ctypes.c_void_p
    library.gguf_init_from_file.argtypes = [ctypes.c_char_p, Parameters]
    library.gguf_get_n_kv.restype = ctypes.c_int64
    library.gguf_get_n_kv.argtypes = library.gguf_free.argtypes = [ctypes.c_void_p]

    def read():
        context, seconds = timed(lambda: library.gguf_init_from_file(str(path).encode(), Parameters(True, None)))
        assert library.gguf_get_n_kv(context) == count
        library.gguf_free(context)
        return seconds

    return read


def llama_cpp_vocabulary(path, count):
    from llama_cpp import Llama

    def read():
        model, seconds = timed(lambda: Llama(str(path), vocab_only=True, verbose=False))
        # It does not count arrays, of which there are four.
        assert len(model.metadata) == count - 4
        return seconds

    return read


def gguf_py(path, count):
    from gguf import GGUFReader

    def read():
        reader, seconds = timed(lambda: GGUFReader(path))
        assert sum(not key.startswith("GGUF.") for key in reader.fields) == count
        return seconds

    return read


def safetensors_package(path, count):
    from safetensors import safe_open

    def names():
        with safe_open(path, "np") as file:
            return file.keys()

    def measured():
        keys, seconds = timed(names)
        assert len(keys) == count
        return seconds

    return measured


def shortest(readers, rounds):
    """The shortest time of each reader, the readers taking turns."""
    best = dict.fromkeys(readers, float("inf"))
    for _ in range(rounds):
        for name, read in readers.items():
            best[name] = min(best[name], read())
    return best


def available(peers, path, count):
    for name, make in peers.items():
        try:
            yield name, make(path, count)
        except (ImportError, OSError) as error:
            print(f"    SKIP  {name}: {error}")


def section(gates, command, title, path, small, count, header, peers, slow, required):
    print(f"  {title}, a header of {header / 1e6:.1f} MB")
    counted = json.loads(run(command, "inspect", path, "--format", "json").output)["models"][0]
    counted = counted["gguf"]["metadataCount"] if counted["gguf"] else counted["safetensors"]["tensorCount"]
    gates.holds("everything is counted", counted == count, counted)
    ours = {
        "yarn-patch, whole process": lambda: run(command, "inspect", path).processor,
        "its start": lambda: run(command, "inspect", small).processor,
    }
    times = shortest({**ours, **dict(available(peers, path, count))}, ROUNDS)
    times |= shortest(dict(available(slow, path, count)), 1)
    whole, start = (times[name] for name in ours)
    walk = whole - start
    for name, seconds in times.items():
        ratio = "" if name in ours else f"{seconds / walk:8.1f} × the walk, {seconds / whole:6.1f} × the process"
        print(f"    {name:28} {seconds * 1e3:9.2f} ms {ratio}")
    print(f"    {'so the walk':28} {walk * 1e3:9.2f} ms")
    for name, ratio in required.items():
        if name in times:
            gates.holds(f"{ratio} × as fast as {name}", times[name] >= ratio * walk, f"{times[name] / walk:.1f} ×")
    memory = peak(command, "inspect", path)
    gates.holds("memory within the header and 16 MiB", memory <= header + MEMORY, f"{memory / 2**20:.1f} MiB")


def main(command):
    gates = Gates()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        small = write(folder / "small.gguf", many_keys(3))
        starts = [run(command, "inspect", small) for _ in range(100)]
        print("  a GGUF with 4 keys, as a whole process")
        seconds = sorted(start.seconds for start in starts)
        print(f"    shortest {seconds[0] * 1e3:.2f} ms, median {seconds[50] * 1e3:.2f} ms")
        # Other processes prolong the seconds that pass, never those of the processor.
        shortest = min(min(start.seconds, start.processor) for start in starts)
        gates.holds("within 5 ms", shortest < START_UP, f"{shortest * 1e3:.2f} ms")

        vocabulary = gguf(271_000)
        section(
            gates, command, "a GGUF with 271,000 tokens", write(folder / "vocabulary.gguf", vocabulary), small, 18,
            len(vocabulary), {"ggml, gguf_init_from_file": ggml},
            {"llama.cpp, vocab_only": llama_cpp_vocabulary, "gguf-py, GGUFReader": gguf_py},
            {"ggml, gguf_init_from_file": 10})  # fmt: skip

        content, size = safetensors(100_000)
        smallest = write(folder / "small.safetensors", *safetensors(3))
        section(
            gates, command, "a safetensors file with 100,000 tensors",
            write(folder / "many.safetensors", content, size), smallest, 100_000, len(content),
            {"safetensors, safe_open, keys": safetensors_package}, {}, {"safetensors, safe_open, keys": 8})  # fmt: skip

        keys = many_keys(300_000)
        section(
            gates, command, "a GGUF with 300,000 keys", write(folder / "keys.gguf", keys), small, 300_001, len(keys),
            {}, {}, {})  # fmt: skip
    return gates.failed > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
