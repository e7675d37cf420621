"""Files whose frequencies stand in `rope_freqs.weight`, in llama.cpp and in ggml's own rotary operation."""

import ctypes
import math
from pathlib import Path

import llama_cpp
import numpy
from bench import TINY, TINY_GGUF, worst_difference
from gguf import GGUFReader, GGUFWriter
from llama import FACTOR, HELD_OUT, MAGNITUDE, TYPE, bits_per_byte, loaded, logits, split, text_tokens

CUSTOM = ["--factor", 4, "--beta-fast", 16, "--beta-slow", 2, "--no-truncate"]


def float_model(bench):
    """The tiny model with weights in float32: in half precision, the last bit of an angle moves scores by 0.01."""
    reader, path = GGUFReader(TINY / TINY_GGUF), bench.folder / "tiny-f32.gguf"
    writer = GGUFWriter(path, "llama")
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.architecture":
            kinds = field.types + [None]
            writer.add_key_value(field.name, field.contents(), kinds[0], kinds[1])
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data.astype(numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def tables(bench):
    """The table that ggml's operation computes from the file's factors, against the equations."""
    for options in (["--factor", 4], CUSTOM, ["--factor", 7.3, "--no-truncate"], ["--factor", 3, "--method", "linear"]):
        for source in (TINY / TINY_GGUF, bench.standard_model):
            path = bench.patched(source, "--encoding", "factors", *options)
            title = f"{source.name}, {' '.join(map(str, options))}"
            formula = bench.json("table", path)["tables"][0]
            reading = bench.json("table", path, "--runtime", "llama.cpp")["tables"][0]
            angles, magnitude = rotated(path)
            wanted, magnitudes = formula["inverseFrequencies"], (magnitude, formula["attentionFactor"])
            off = worst_difference(angles, wanted)
            bench.holds(f"{title}: ggml's table and the equations'", off <= 5e-6, f"{off:.2g} relative")
            off = worst_difference(angles, reading["inverseFrequencies"])
            bench.holds(f"{title}: ggml's table and our reading of llama.cpp", off <= 5e-7, f"{off:.2g} relative")
            bench.holds(f"{title}: magnitude", abs(magnitudes[0] - magnitudes[1]) <= 1e-6 * magnitudes[1],
                        f"{magnitudes[0]:.7f} ({magnitudes[1]:.7f})")


def rotated(path):
    """Angle of each pair at position 1, and the magnitude, from `ggml_rope_ext` as llama.cpp's graph calls it for
    scaling type none: no library function gives a loaded model's table, so the operation is called by itself."""
    reader = GGUFReader(path)
    value = lambda key: reader.fields[key].contents() if key in reader.fields else None
    factors = next(tensor.data for tensor in reader.tensors if tensor.name == "rope_freqs.weight")
    assert value(TYPE) == "none" and value(FACTOR) is None
    width = value("llama.rope.dimension_count")
    lib = Path(llama_cpp.__file__).parent / "lib"
    base, cpu = ctypes.CDLL(str(lib / "libggml-base.so")), ctypes.CDLL(str(lib / "libggml-cpu.so"))
    pointer, i64, f32, i32 = ctypes.c_void_p, ctypes.c_int64, ctypes.c_float, ctypes.c_int

    class Memory(ctypes.Structure):
        _fields_ = [("size", ctypes.c_size_t), ("buffer", pointer), ("no_alloc", ctypes.c_bool)]

    def call(library, name, result, *arguments):
        function = getattr(library, name)
        function.restype = result
        function.argtypes = [type(argument) for argument in arguments]
        return function(*arguments)

    context = call(base, "ggml_init", pointer, Memory(1 << 24, None, False))
    context = pointer(context)

    def tensor(kind, data, *shape):
        made = call(base, f"ggml_new_tensor_{len(shape)}d", pointer, context, i32(kind), *map(i64, shape))
        ctypes.memmove(call(base, "ggml_get_data", pointer, pointer(made)), data.tobytes(), data.nbytes)
        return pointer(made)

    # Pairs (2i, 2i + 1), each (1, 0): afterwards (cos, sin) × magnitude.
    heads = tensor(0, numpy.tile(numpy.float32([1, 0]), width // 2), width, 1, 1)
    positions, divisors = tensor(26, numpy.int32([1]), 1), tensor(0, factors, len(factors))
    result = call(base, "ggml_rope_ext", pointer, context, heads, positions, divisors, i32(width), i32(0),
                  i32(value("llama.rope.scaling.original_context_length")), f32(value("llama.rope.freq_base")), f32(1),
                  f32(0), f32(value(MAGNITUDE) or 1), f32(32), f32(1))
    graph = pointer(call(base, "ggml_new_graph", pointer, context))
    call(base, "ggml_build_forward_expand", None, graph, pointer(result))
    call(cpu, "ggml_graph_compute_with_ctx", i32, context, graph, i32(1))
    data = call(base, "ggml_get_data", pointer, pointer(result))
    pairs = numpy.ctypeslib.as_array((f32 * width).from_address(data)).astype(float).reshape(-1, 2).copy()
    call(base, "ggml_free", None, context)
    return numpy.arctan2(pairs[:, 1], pairs[:, 0]).tolist(), math.hypot(*pairs[0])


def scores(bench):
    path = float_model(bench)
    tokens = text_tokens(path, 1024)
    factors = ["--encoding", "factors"]
    plain = logits(path, tokens)
    keys = logits(bench.patched(path, "--factor", 4), tokens)
    same = logits(bench.patched(path, "--factor", 4, *factors), tokens)
    off = float(abs(keys - same).max())
    bench.holds("YaRN ×4, factors and keys: scores", off <= 1e-3,
                f"differ by at most {off:.2g} (±{abs(keys).max():.3g}; unscaled {abs(keys - plain).max():.3g})")
    custom = logits(bench.patched(path, *CUSTOM, *factors), tokens)
    bench.holds("YaRN ×4 with other betas: scores do differ", bool(abs(custom - keys).max() > 0.1),
                f"by up to {abs(custom - keys).max():.3g}")
    for source in (path, bench.standard_model):
        tokens = text_tokens(source, 256)
        plain = logits(source, tokens)
        one = logits(bench.patched(source, "--factor", 1, *factors), tokens)
        bench.equal(f"{source.name}, factor 1 in factors: scores that differ", int((plain != one).sum()), 0)
        back = bench.patched(source, "--factor", 4, *factors)
        bench.run("patch", back, "--method", "none")
        bench.equal(f"{source.name}, scaling removed: scores that differ", int((plain != logits(back, tokens)).sum()), 0)
        bench.run("patch", back, "--factor", 4)
        keys = logits(bench.patched(source, "--factor", 4), tokens)
        bench.equal(f"{source.name}, back to keys: scores that differ", int((keys != logits(back, tokens)).sum()), 0)


def loading(bench):
    """Each file loads, with one tensor more, and says so."""
    for source in (TINY / TINY_GGUF, bench.standard_model):
        count = len(GGUFReader(source).tensors)
        path = bench.patched(source, *CUSTOM, "--encoding", "factors")
        with loaded(path) as (model, facts):
            bench.equal(f"{source.name}: rope scaling, freq_scale_train",
                        (facts["rope scaling"], facts["freq_scale_train"]), ("none", "1"))
            scores = model.create_completion("The capital of France is", max_tokens=8, temperature=0)
            bench.holds(f"{source.name}: goes on", True, repr(scores["choices"][0]["text"]))
        reader = GGUFReader(path)
        bench.equal(f"{source.name}, gguf-py: tensors", len(reader.tensors), count + 1)
        before = {tensor.name: tensor.data.tobytes() for tensor in GGUFReader(source).tensors}
        bench.equal(f"{source.name}, gguf-py: all other tensors are as before",
                    {tensor.name: tensor.data.tobytes() for tensor in reader.tensors if tensor.name in before} == before,
                    True)
    folder = bench.folder / "split-factors"
    folder.mkdir()
    shards = split(TINY / TINY_GGUF, folder)
    bench.run("patch", shards[2], "--factor", 4, "--encoding", "factors")
    tokens = text_tokens(TINY / TINY_GGUF, 512)
    whole = logits(bench.patched(TINY / TINY_GGUF, "--factor", 4, "--encoding", "factors"), tokens)
    bench.equal("a set of three files: scores that differ from the whole file's",
                int((logits(shards[0], tokens) != whole).sum()), 0)
    if HELD_OUT.exists():
        path = bench.patched(TINY / TINY_GGUF, "--factor", 4, "--encoding", "factors")
        bits = bits_per_byte(path, HELD_OUT.read_bytes())
        bench.holds("YaRN ×4 in factors, 1024 bytes", bits < 2.2, f"{bits:.3f} bits per byte < 2.2")
    else:
        bench.skip("bits per byte of held-out text", f"{HELD_OUT} is not there")


def all_checks(bench):
    loading(bench)
    tables(bench)
    scores(bench)
