"""Patched GGUF files in llama.cpp, and the same files as gguf-py sees them."""

import hashlib
import math
import re
from contextlib import contextmanager

import llama_cpp
import numpy
from bench import ROOT, TINY, TINY_GGUF, sha256
from gguf import GGUFReader, GGUFValueType, GGUFWriter

TYPE, FACTOR = "llama.rope.scaling.type", "llama.rope.scaling.factor"
ORIGINAL, MAGNITUDE = "llama.rope.scaling.original_context_length", "llama.rope.scaling.attn_factor"
WINDOW, BASE = "llama.context_length", "llama.rope.freq_base"
STRING, FLOAT32, UINT32 = GGUFValueType.STRING, GGUFValueType.FLOAT32, GGUFValueType.UINT32
TYPES = {TYPE: STRING, FACTOR: FLOAT32, ORIGINAL: UINT32, MAGNITUDE: FLOAT32, WINDOW: UINT32, BASE: FLOAT32}
HELD_OUT = ROOT.parent / "shared/models/tiny-llama-ctx256/heldout.txt"
AUTOMATIC = 0.1 * math.log(4) + 1  # YaRN's magnitude for factor 4

log = []


@llama_cpp.llama_log_callback
def keep(level, text, user_data):
    log.append(text.decode(errors="replace"))


llama_cpp.llama_log_set(keep, None)


@contextmanager
def loaded(path, window=256):
    """The model in llama.cpp, and what it wrote about it: `print_info: n_ctx_train = 32768` and the like."""
    log.clear()
    model = llama_cpp.Llama(
        str(path), n_ctx=window, n_batch=window, logits_all=True, verbose=False, seed=1, n_threads=1,
        n_threads_batch=1, type_k=llama_cpp.GGML_TYPE_F32, type_v=llama_cpp.GGML_TYPE_F32)
    try:
        yield model, dict(re.findall(r"^print_info: (.+?) *= (.+)$", "".join(log), re.M))
    finally:
        model.close()


def logits(path, tokens):
    """One row for each token."""
    with loaded(path, window=len(tokens)) as (model, _):
        model.eval(tokens)
        return model.scores[: len(tokens)].copy()


def text_tokens(path, count):
    """Tokens of a text that is always there, the licence."""
    with loaded(path) as (model, _):
        return model.tokenize((ROOT / "LICENSE").read_bytes())[:count]


def float32(x):
    return float(numpy.float32(x))


def tensors(path):
    """Name to type, shape, place in the data section, and a digest of the bytes."""
    reader = GGUFReader(path)
    return {
        tensor.name: (tensor.tensor_type.name, tensor.shape.tolist(), tensor.data_offset - reader.data_offset,
                      hashlib.sha256(tensor.data.tobytes()).hexdigest())
        for tensor in reader.tensors}


def rope_keys(path):
    """The RoPE keys that are there: value and type."""
    fields = GGUFReader(path).fields
    return {key: (fields[key].contents(), fields[key].types[0].name) for key in TYPES if key in fields}


# A real model


def wanted(kind=None, scale=1.0, base=100000.0, original=8192, window=32768, magnitude=None):
    """What llama.cpp is to say, and the keys with their values; the standard model is SmolLM2, 8192 tokens."""
    said = {"rope scaling": kind or "linear", "freq_scale_train": scale, "n_ctx_orig_yarn": original,
            "n_ctx_train": window, "freq_base_train": base}
    keys = {WINDOW: window, BASE: float32(base), TYPE: kind, FACTOR: 1 / scale if kind else None,
            ORIGINAL: original if window != original else None,
            MAGNITUDE: float32(magnitude) if magnitude else None}
    return said, {key: (value, TYPES[key].name) for key, value in keys.items() if value is not None}


VARIANTS = [
    ("--factor 4", wanted("yarn", 0.25)),
    ("--context 20000", wanted("yarn", 8192 / 20000, window=20000)),
    ("--factor 4 --attention-factor 1.2", wanted("yarn", 0.25, magnitude=1.2 / AUTOMATIC)),
    ("--factor 4 --method ntk-by-parts", wanted("yarn", 0.25, magnitude=1 / AUTOMATIC)),
    ("--factor 4 --method linear", wanted("linear", 0.25)),
    ("--factor 4 --method ntk", wanted(base=100000 * 4 ** (64 / 62))),
    ("--factor 4 --base 500000", wanted("yarn", 0.25, base=500000.0)),
]


def standard_model(bench):
    before, digest = tensors(bench.standard_model), sha256(bench.standard_model)
    for options, (said, keys) in VARIANTS:
        path = bench.patched(bench.standard_model, *options.split())
        check_standard(bench, options, path, said, keys)
        bench.equal(f"{options}, gguf-py: tensors are as before", tensors(path) == before, True)
        bench.run("undo", path)
        bench.equal(f"{options}, undo: SHA-256 is as before", sha256(path), digest)
        path.unlink()

    path = bench.patched(bench.standard_model, "--factor", 4)
    bench.run("patch", path, "--method", "none")
    check_standard(bench, "--method none after YaRN", path, *wanted(window=8192))
    bench.equal("--method none after YaRN, gguf-py: tensors are as before", tensors(path) == before, True)
    for _ in range(2):
        bench.run("undo", path)
    bench.equal("--method none after YaRN, both undone: SHA-256 is as before", sha256(path), digest)


def check_standard(bench, options, path, said, keys):
    with loaded(path) as (model, facts):
        for name, value in said.items():
            is_text = isinstance(value, str)
            got = facts[name] if is_text else float(facts[name])
            # Numbers are printed with six significant digits or one decimal.
            same = got == value if is_text else abs(got - value) <= max(1e-6 * value, 0.05 if "base" in name else 0)
            bench.holds(f"{options}, llama.cpp: {name}", same, f"{facts[name]} ({value})")
        answer = model.create_completion("The capital of France is", max_tokens=8, temperature=0)
        scores = model.scores[: model.n_tokens]
        bench.holds(f"{options}, llama.cpp: finite scores", bool(numpy.isfinite(scores).all()),
                    f"{scores.size} numbers, goes on with {answer['choices'][0]['text']!r}")
    bench.equal(f"{options}, gguf-py: RoPE keys", rope_keys(path), keys)


def strategies(bench):
    """The same settings by each way of writing a file."""
    tokens = text_tokens(bench.standard_model, 256)
    path, output = bench.copy(bench.standard_model), bench.folder / "output.gguf"
    grown = bench.json("patch", path, "--factor", 4)["strategy"]
    scores = {grown: logits(path, tokens)}
    bench.run("patch", path, "--factor", 2)
    inside = bench.json("patch", path, "--factor", 4)["strategy"]
    bench.equal("the second patch of a file", inside, "in-place")
    scores[inside] = logits(path, tokens)
    copied = bench.json("patch", bench.standard_model, "--factor", 4, "--output", output)["strategy"]
    bench.equal("--output", copied, "clone")
    scores[copied] = logits(output, tokens)
    if grown != "insert-range":
        bench.skip("insert-range", f"the file system here takes {grown}")
    for strategy, found in scores.items():
        bench.equal(f"{strategy}: scores that differ from {copied}", int((found != scores[copied]).sum()), 0)


# The same scores where nothing changes


def factor_one(bench):
    for path in (TINY / TINY_GGUF, bench.standard_model):
        tokens = text_tokens(path, 256)
        plain = logits(path, tokens)
        one = logits(bench.patched(path, "--factor", 1), tokens)
        four = logits(bench.patched(path, "--factor", 4), tokens)
        bench.equal(f"{path.name}, factor 1: scores that differ", int((plain != one).sum()), 0)
        bench.holds(f"{path.name}, factor 4: scores do differ", bool((plain != four).any()),
                    f"by up to {abs(plain - four).max():.3g}")


# Does it do its job?


def bits_per_byte(path, text, window=1024, windows=6):
    """Mean over the last quarter of each window; a token is a byte."""
    bits = []
    with loaded(path, window) as (model, _):
        for start in range(0, window * windows, window):
            tokens = list(text[start : start + window])
            model.reset()
            model.eval(tokens)
            scores = model.scores[: window - 1].astype(numpy.float64)
            scores -= scores.max(axis=1, keepdims=True)
            chances = scores[range(window - 1), tokens[1:]] - numpy.log(numpy.exp(scores).sum(axis=1))
            bits.append(-chances[-(window // 4) :].mean() / math.log(2))
    return sum(bits) / len(bits)


def held_out(bench):
    if not HELD_OUT.exists():
        return bench.skip("bits per byte of held-out text", f"{HELD_OUT} is not there")
    text, path = HELD_OUT.read_bytes(), TINY / TINY_GGUF
    within = bits_per_byte(path, text, window=256)
    plain = bits_per_byte(path, text)
    patched = bits_per_byte(bench.patched(path, "--factor", 4), text)
    bench.holds("as trained, 256 bytes", within < 2, f"{within:.3f} bits per byte < 2")
    bench.holds("as trained, 1024 bytes", plain > 3, f"{plain:.3f} bits per byte > 3")
    bench.holds("YaRN ×4, 1024 bytes", patched < 2.2, f"{patched:.3f} bits per byte < 2.2")


# A split set


def split(source, folder):
    """The model in three shards, made by gguf-py."""
    reader = GGUFReader(source)
    writer = GGUFWriter(folder / "tiny.gguf", "llama", split_max_tensors=13)
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.architecture":
            kinds = field.types + [None]
            writer.add_key_value(field.name, field.contents(), kinds[0], kinds[1])
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return sorted(folder.glob("*.gguf"))


def split_set(bench):
    source = TINY / TINY_GGUF
    folder = bench.folder / "split"
    folder.mkdir()
    shards = split(source, folder)
    bench.equal("gguf-py wrote shards", len(shards), 3)
    before = [sha256(shard) for shard in shards]
    tokens = text_tokens(source, 512)
    whole = logits(bench.patched(source, "--factor", 4), tokens)
    for shard in shards:
        bench.run("patch", shard, "--factor", 4)
        with loaded(shards[0]) as (_, facts):
            names = ("rope scaling", "freq_scale_train", "n_ctx_orig_yarn", "n_ctx_train")
            bench.equal(f"patched through {shard.name}, llama.cpp", [facts[name] for name in names],
                        ["yarn", "0.25", "256", "1024"])
        differ = int((logits(shards[0], tokens) != whole).sum())
        bench.equal(f"patched through {shard.name}: scores that differ from the whole file's", differ, 0)
        bench.run("undo", shard)
        bench.equal(f"undone through {shard.name}: digests are as before",
                    [sha256(shard) for shard in shards] == before, True)
