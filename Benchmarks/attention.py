"""How fast the attention kernel is, beside what this processor can do at most, torch and numpy, all on one thread; and
what the whole check of a window of 128k positions takes.

    attention.py COMMAND

COMMAND is the built yarn-patch. Needs numpy; torch takes part if it is here. The kernel is the C file of
Sources/CAttention, compiled here as the package compiles it. Every contender takes its turn in each round and is timed
on the process's CPU clock, because other work on the machine changes what one moment allows. Gates are answers, compared
with numpy's in double precision, the kernel's share of what was measured as possible, best against best, and that torch
is not faster.
"""

import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from child import Gates, peak, run

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

try:
    import numpy as np
except ImportError:
    sys.exit(print("The attention kernel is not measured: that needs numpy. To install it: make test-peers"))
try:
    import torch

    torch.set_num_threads(1)
except ImportError:
    torch = None

ROOT = Path(__file__).resolve().parents[1]
QUERIES, STEPS, POSITIONS = 32, 8, 64  # CATTENTION_LANES, CATTENTION_STEPS, CATTENTION_POSITIONS
ERROR = 2e-6  # of outputs that are means of a hundred and more numbers around 1
SHARE = 0.8
WINDOW = {
    "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 3584, "num_attention_heads": 28,
    "num_key_value_heads": 4, "num_hidden_layers": 28, "max_position_embeddings": 131_072, "rope_theta": 1e6,
    "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32_768},
}  # fmt: skip


class Keys(ctypes.Structure):
    _fields_ = [("keys", ctypes.c_void_p), ("values", ctypes.c_void_p)] + [
        (name, ctypes.c_long) for name in ("count", "key_dimension", "value_dimension")]  # fmt: skip


class Heads(ctypes.Structure):
    _fields_ = [(name, ctypes.c_long) for name in ("positions", "heads", "dimension", "first_lane", "pairs")] + [
        ("adjacent", ctypes.c_int)]  # fmt: skip


def build(folder):
    """The kernel and the measures of the processor as one library, by the clang of the Swift toolchain."""
    swift = shutil.which("swiftc")
    clang = Path(swift).resolve().with_name("clang") if swift else Path("clang")
    path = Path(folder) / "attention.so"
    sources = [ROOT / "Benchmarks/attention.c", ROOT / "Sources/CAttention/attention.c"]
    include = ROOT / "Sources/CAttention/include"
    command = [clang if clang.exists() else "clang", "-O2", "-fPIC", "-shared", f"-I{include}", *sources, "-lm"]
    subprocess.run([*command, "-o", path], check=True)
    library = ctypes.CDLL(str(path))
    for name in ("bench_flops", "bench_bytes"):
        getattr(library, name).restype = ctypes.c_double
    return library


def pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


def seconds(action):
    """Of the fastest of three runs, after one that brings back into the caches what others have driven out."""
    times = []
    for _ in range(4):
        start = time.process_time_ns()
        action()
        times.append((time.process_time_ns() - start) * 1e-9)
    return min(times[1:])


class Rates:
    """What each contender reached in each round."""

    def __init__(self):
        self.rounds = {}

    def add(self, name, rate):
        self.rounds.setdefault(name, []).append(rate)

    def median(self, name):
        return sorted(self.rounds[name])[len(self.rounds[name]) // 2]

    def best(self, name):
        return max(self.rounds[name])


def attention(library, memory, dimension, count):
    """Rates in GFLOP/s, and the largest error of the kernel's output."""
    random = np.random.default_rng(1)
    q, k, v = (random.standard_normal((n, dimension), dtype=np.float32) for n in (QUERIES, count, count))
    scale = dimension**-0.5
    queries = np.ascontiguousarray((q * (scale / np.log(2))).astype(np.float32).T)
    visible = np.full(QUERIES, count, np.int64)
    keys = Keys(k.ctypes.data, v.ctypes.data, count, dimension, dimension)
    fresh = np.zeros((3 + dimension, QUERIES))
    fresh[0] = -np.finfo(np.float32).max
    state = fresh.copy()

    # Arguments are made beforehand: they would take a fiftieth of what the shortest calls do.
    arguments = (library.cattention_widest(), pointer(queries), ctypes.byref(keys), pointer(visible), pointer(state))

    def kernel():
        library.cattention_attend(*arguments)

    def numpy():
        logits = (q * np.float32(scale)) @ k.T
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        return (logits @ v) / logits.sum(axis=1, keepdims=True)

    contenders = {"kernel": kernel, "numpy": numpy}
    if torch:
        tensors = [torch.from_numpy(x)[None, None] for x in (q, k, v)]
        contenders["torch"] = lambda: torch.nn.functional.scaled_dot_product_attention(*tensors)

    rates, work = Rates(), 4 * QUERIES * count * dimension
    for _ in range(max(9, 60 * 4096 // count)):
        rates.add("peak", max(library.bench_flops(ctypes.c_long(50_000)) for _ in range(3)) / 1e9)
        # Each byte of a key or value is a quarter of an element, which is used twice for each query.
        rates.add("bandwidth", library.bench_bytes(pointer(memory), ctypes.c_long(memory.size)) / 1e9 * QUERIES / 2)
        for name, action in contenders.items():
            rates.add(name, work / seconds(action) / 1e9)
        state[:] = fresh

    logits = q.astype(np.float64) @ k.T.astype(np.float64) * scale
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    exact = weights @ v / weights.sum(axis=1, keepdims=True)
    state[:] = fresh
    kernel()
    return rates, np.abs((state[3:] / state[1]).T - exact).max()


def turns(positions, frequencies):
    angles = np.multiply.outer(positions.astype(np.float64), frequencies)
    return np.ascontiguousarray(np.stack([np.cos(angles), np.sin(angles)], axis=1))


def rotation(library, positions, heads, dimension, adjacent):
    """Rates in GB/s, bytes read and written, and the largest error."""
    frequencies = 10_000.0 ** (-np.arange(0, dimension, 2) / dimension)
    starts = turns(np.arange(0, positions, POSITIONS), frequencies)
    steps = turns(np.concatenate([np.arange(STEPS), np.arange(0, POSITIONS, STEPS)]), frequencies)
    source = np.random.default_rng(1).standard_normal((positions, heads, dimension), dtype=np.float32)
    rows = source.copy()
    group = Heads(POSITIONS, heads, dimension, 0, dimension // 2, adjacent)

    # Arguments are made beforehand: calls from Python must not cost what 64 positions do.
    level, group = library.cattention_widest(), ctypes.byref(group)
    firsts = range(0, positions, POSITIONS)
    calls = [(level, pointer(rows[i:]), group, pointer(start), pointer(steps)) for i, start in zip(firsts, starts)]

    def kernel():
        for call in calls:
            library.cattention_rotate(*call)

    kernel()
    c, s = (x[:, None] for x in turns(np.arange(positions), frequencies).transpose(1, 0, 2))
    lanes = (slice(0, None, 2), slice(1, None, 2)) if adjacent else (slice(0, dimension // 2), slice(dimension // 2, None))
    a, b = (source[..., x] for x in lanes)
    error = max(np.abs(rows[..., lanes[0]] - (a * c - b * s)).max(), np.abs(rows[..., lanes[1]] - (b * c + a * s)).max())

    rates = Rates()
    for _ in range(15):
        rates.add("kernel", 2e-9 * rows.nbytes / seconds(kernel))
        copy = seconds(lambda: ctypes.memmove(pointer(rows), pointer(source), rows.nbytes))
        rates.add("copy", 2e-9 * rows.nbytes / copy)
    return rates, error


def window(command, folder, gates):
    """The whole check of a window of 128k positions, as a process."""
    Path(folder, "config.json").write_text(json.dumps(WINDOW))
    arguments = [command, "verify", folder, "--attention", "full"]
    seconds = min(run(*arguments).processor for _ in range(3))
    memory = peak(*arguments)
    gates.holds("verify --attention full of 131072 positions within 5 processor seconds", seconds < 5, f"{seconds:.2f} s")
    gates.holds("and within 300 MB", memory < 300e6, f"{memory / 1e6:.0f} MB")


def main(command):
    gates, measured = Gates(), []
    with tempfile.TemporaryDirectory() as folder:
        library = build(folder)
    print(f"attention of {QUERIES} queries, one thread, GFLOP/s: median (best)")
    names = ["peak", "bandwidth", "kernel", "numpy"] + (["torch"] if torch else [])
    print("  head    keys" + "".join(f"{name:>17}" for name in names) + "   of what is possible")
    memory = np.ones(32 << 20, np.float32)
    for dimension in (64, 128):
        for count in (4096, 16_384, 32_768, 131_072):
            rates, error = attention(library, memory, dimension, count)
            text = "".join(f"{rates.median(name):9.1f} ({rates.best(name):5.1f})" for name in names)
            shares = [f("kernel") / min(f("peak"), f("bandwidth")) for f in (rates.median, rates.best)]
            print(f"  {dimension:4} {count:7}{text}   {shares[0]:.0%} ({shares[1]:.0%})", flush=True)
            measured.append((f"head {dimension}, {count} keys", rates, error, shares[1]))
    print("bandwidth: what reading keys and values once from memory would allow")
    for name, rates, error, share in measured:
        gates.holds(f"{name}: output within {ERROR}", error <= ERROR, f"{error:.1e}")
        gates.holds(f"{name}: at least {SHARE:.0%} of what is possible", share >= SHARE, f"{share:.1%}")
        if torch:
            times = rates.median("kernel") / rates.median("torch")
            gates.holds(f"{name}: at least as fast as torch", times >= 1, f"{times:.1f} times")
    print("rotary embedding in place, GB/s read and written: median (best)")
    for positions, heads in ((512, 8), (32_768, 8), (32_768, 1)):
        for adjacent in (0, 1):
            rates, error = rotation(library, positions, heads, 128, adjacent)
            layout = "adjacent" if adjacent else "halves"
            text = "".join(f"  {name} {rates.median(name):5.1f} ({rates.best(name):5.1f})" for name in ("kernel", "copy"))
            print(f"  {positions:6} positions, {heads} heads of 128, {layout:8}{text}", flush=True)
            gates.holds(f"rotated within {ERROR}", error <= ERROR, f"{error:.1e}")
    with tempfile.TemporaryDirectory() as folder:
        window(command, folder, gates)
    return bool(gates.failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
