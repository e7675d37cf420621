"""How long the forecast of one large file takes, as a whole process, beside what Python needs for the same table.

    forecast.py COMMAND [PYTHON]

COMMAND is the built yarn-patch, PYTHON an interpreter that has transformers, gguf and llama_cpp (see scripts/bench.sh).
The inputs are written here, so every machine measures the same bytes. Each answer is compared with the one computed
below and with what transformers computed; a difference fails the run, a time never does.
"""

import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 11
PEER_RUNS = 2
# Of the published equations in double; of float32 in transformers' order; of llama.cpp's repeated float32 products.
BOUNDS = {"formula": 1e-12, "transformers5": 5e-7, "llama.cpp": 5e-6}
# What a bare interpreter with the package has to do; run in a fresh process with the file as argument.
TRANSFORMERS = """
import json, os, sys
os.environ["HF_HUB_OFFLINE"] = "1"
from transformers import AutoConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
config = AutoConfig.from_pretrained(os.path.dirname(sys.argv[1]))
print(json.dumps(LlamaRotaryEmbedding(config).inv_freq.tolist()))
"""
GGUF = """
import sys
from gguf import GGUFReader
fields = GGUFReader(sys.argv[1]).fields
assert fields["llama.rope.scaling.factor"].contents() == 4
"""
LLAMA = """
import sys
from llama_cpp import Llama
assert Llama(sys.argv[1], vocab_only=True, verbose=False).metadata["llama.rope.scaling.factor"].startswith("4")
"""
PEAK = """
import os, sys
silent = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=silent)
print(os.wait4(process, 0)[2].ru_maxrss)
"""

BASE, FACTOR, ORIGINAL, WIDTH = 500000.0, 4.0, 8192, 128


def yarn():
    """The inverse frequencies of the published equations."""

    def pair(rotations):
        return WIDTH * math.log(ORIGINAL / (rotations * 2 * math.pi)) / (2 * math.log(BASE))

    low, high = max(math.floor(pair(32)), 0), min(math.ceil(pair(1)), WIDTH - 1)
    table = []
    for i in range(WIDTH // 2):
        plain = BASE ** (-2 * i / WIDTH)
        ramp = min(max((i - low) / (high - low), 0), 1)
        table.append(plain / FACTOR * ramp + plain * (1 - ramp))
    return table


# Inputs


def config(**extra):
    scaling = dict(rope_type="yarn", factor=FACTOR, original_max_position_embeddings=ORIGINAL, rope_theta=BASE)
    members = dict(
        architectures=["LlamaForCausalLM"], model_type="llama", hidden_size=4096, intermediate_size=11008,
        max_position_embeddings=int(ORIGINAL * FACTOR), num_attention_heads=4096 // WIDTH, num_hidden_layers=32,
        rms_norm_eps=1e-6, vocab_size=152064, rope_parameters=scaling)  # fmt: skip
    return json.dumps({**members, **extra}, indent=2, ensure_ascii=False).encode()


def gguf(count=256_000):
    """A header with a vocabulary of `count` tokens; there are no tensors behind it."""

    def text(content):
        return struct.pack("<Q", len(content.encode())) + content.encode()

    def number(kind, value):
        return struct.pack("<I" + kind, {"I": 4, "f": 6}[kind], value)

    def texts(content):
        return struct.pack("<IIQ", 9, 8, len(content)) + b"".join(map(text, content))

    def numbers(kind, content):
        element = {"f": 6, "i": 5}[kind]
        return struct.pack("<IIQ", 9, element, len(content)) + struct.pack(f"<{len(content)}{kind}", *content)

    def string(content):
        return struct.pack("<I", 8) + text(content)

    tokens = ["Ċ"] + [f"vocabulary_{i:06}" for i in range(1, count)]
    entries = {
        "general.architecture": string("llama"),
        "llama.context_length": number("I", int(ORIGINAL * FACTOR)),
        "llama.embedding_length": number("I", 4096),
        "llama.block_count": number("I", 32),
        "llama.feed_forward_length": number("I", 11008),
        "llama.attention.head_count": number("I", 4096 // WIDTH),
        "llama.attention.layer_norm_rms_epsilon": number("f", 1e-6),
        "llama.rope.dimension_count": number("I", WIDTH),
        "llama.rope.freq_base": number("f", BASE),
        "llama.rope.scaling.type": string("yarn"),
        "llama.rope.scaling.factor": number("f", FACTOR),
        "llama.rope.scaling.original_context_length": number("I", ORIGINAL),
        "tokenizer.ggml.model": string("gpt2"),
        "tokenizer.ggml.pre": string("qwen2"),
        "tokenizer.ggml.tokens": texts(tokens),
        "tokenizer.ggml.scores": numbers("f", [-float(i) for i in range(count)]),
        "tokenizer.ggml.token_type": numbers("i", [1] * count),
        "tokenizer.ggml.merges": texts([f"vocab ulary_{i:06}" for i in range(count)]),
    }
    header = b"GGUF" + struct.pack("<IQQ", 3, 0, len(entries))
    return header + b"".join(text(key) + value for key, value in entries.items())


def modules(count):
    settings = dict(bits=4, group_size=128, sym=True, desc_act=False)
    return {f"model.layers.{i // 200}.mlp.experts.{i % 200}.down_proj": settings for i in range(count)}


def inputs(folder):
    """Names with paths, smallest first; kinds of large files as they are met, and an odd one at the end."""
    labels = [f"LABEL_{i:05}" for i in range(50_000)]
    for name, make in {
        "a usual config.json": config,
        "labels both ways, 2 × 50,000": lambda: config(
            id2label=dict(enumerate(labels)), label2id={label: i for i, label in enumerate(labels)}),  # fmt: skip
        "an object of 80,000 members": lambda: config(
            task_specific_params={f"member_{i:05}_of_a_long_object": i for i in range(80_000)}),  # fmt: skip
        "a list of 400,000 numbers": lambda: config(values=[i % 10_000 / 8 for i in range(400_000)]),
        "20,000 quantized modules": lambda: config(
            quantization_config=dict(quant_method="gptq", dynamic=modules(20_000))),  # fmt: skip
        "3,000 long texts": lambda: config(notes=["x" * 1000 + "é" * 20] * 3000),
        "80,000 members at the top": lambda: config(**{f"member_{i:05}_of_a_long_object": i for i in range(80_000)}),
        "a GGUF's 256,000 tokens": gguf,
    }.items():
        path = folder / str(len(os.listdir(folder))) / ("model.gguf" if make is gguf else "config.json")
        path.parent.mkdir()
        path.write_bytes(make())
        yield name, path


# Measuring


def measure(arguments, runs):
    """Output, shortest and median seconds, and peak bytes of memory of a process; `None` when it fails."""
    seconds = []
    for _ in range(runs):
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            start = time.perf_counter()
            process = subprocess.Popen(arguments, stdout=output, stderr=errors)
            process.wait()
            seconds.append(time.perf_counter() - start)
            if process.returncode != 0:
                errors.seek(0)
                print(f"  failed: {' '.join(map(str, arguments[-2:]))[-60:]}: {errors.read().decode()[-300:]}")
                return None
            output.seek(0)
            text = output.read()
    # A process inherits the peak of the one that started it, so a small one starts it.
    peak = subprocess.run([sys.executable, "-SEc", PEAK, *arguments], capture_output=True, check=True).stdout
    return text, min(seconds), sorted(seconds)[runs // 2], int(peak) * 1024


def row(name, result, ours=None):
    _, shortest, median, peak = result
    ratio = f"{shortest / ours:8.0f} ×" if ours else " " * 10
    print(f"    {name:26} {shortest * 1e3:8.1f} {median * 1e3:8.1f} ms {ratio} {peak / 2**20:7.0f} MiB", flush=True)


def worst(got, wanted):
    if len(got) != len(wanted):
        return math.inf
    return max(abs(g - w) / w for g, w in zip(got, wanted))


def main(command, python=None):
    wrong = []

    def compare(what, got, wanted, bound):
        difference = worst(got, wanted)
        if not difference <= bound:
            wrong.append(f"{what}: relative difference {difference:.1e}, at most {bound:.1e} expected")

    with tempfile.TemporaryDirectory() as folder:
        print(f"{'':30} {'shortest':>8} {'median':>8}      times ours        peak")
        for name, path in inputs(Path(folder)):
            print(f"  {name}, {path.stat().st_size / 1e6:.1f} MB")
            result = measure([command, "table", path, "--runtime", "all", "--format", "json"], RUNS)
            if result is None:
                wrong.append(f"{name}: no forecast")
                continue
            row("yarn-patch, all runtimes", result)
            tables = {table["runtime"]: table for table in json.loads(result[0])["tables"]}
            for runtime in tables.keys() & BOUNDS.keys():
                compare(f"{name}, {runtime}", tables[runtime]["inverseFrequencies"], yarn(), BOUNDS[runtime])
            if python is None:
                continue
            if path.name == "config.json":
                peers = {"transformers": TRANSFORMERS}
            else:
                peers = {"gguf-py, keys only": GGUF, "llama.cpp, vocab_only": LLAMA}
            for peer, code in peers.items():
                theirs = measure([python, "-c", code, path], PEER_RUNS)
                if theirs is None:
                    wrong.append(f"{name}: {peer} does not read it")
                    continue
                row(peer, theirs, ours=result[1])
                if peer == "transformers":
                    recorded = tables["transformers5"]["inverseFrequencies"]
                    compare(f"{name}, {peer} itself", recorded, json.loads(theirs[0]), BOUNDS["transformers5"])
    for line in wrong:
        print(f"WRONG {line}")
    print("wrong answers" if wrong else "every table is the expected one")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
