"""Scores of the first layer, which `WeightsTests` forms from the files, beside transformers' and numpy's.

The test reads what is expected from a file, by the name in `YARN_PATCH_PEER_SCORES`, and prints how far ours is off.
"""

import json
import os
import re
import subprocess

import numpy
import torch
import transformers
from bench import ROOT, TINY, TINY_GGUF
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter
from gguf.quants import dequantize, quantize
from record_first_layer import first_scores

# Of the largest score of a head.
BOUND = 1e-5
# Types that gguf-py can write; the others are compared block by block in the test of the decoder.
TYPES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]
BASE = 100000.0  # the standard model's
PARTS = ["token_embd.weight", "blk.0.attn_norm.weight", "blk.0.attn_q.weight", "blk.0.attn_k.weight"]


def first_layers(bench):
    text = (ROOT / "LICENSE").read_bytes()
    cases = {}
    model = transformers.AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32, attn_implementation="eager")
    for length in (48, 256):
        scores = first_scores(model.eval(), list(text[:length]))[0]
        for name in ("model.safetensors", TINY_GGUF):
            cases[f"{name}, {length} tokens, transformers"] = case(
                TINY / name, 64, 10000.0, list(text[:length]), scores)

    tokens = [(31 * i * i + 977 * i) % 49152 for i in range(256)]
    standard = bench.standard_model
    cases["standard model as it is, gguf-py"] = case(standard, 64, BASE, tokens, llama_scores(standard, tokens))
    for name in TYPES:
        path = bench.folder / f"first-layer-{name}.gguf"
        write_first_layer(standard, path, GGMLQuantizationType[name])
        cases[f"standard model in {name}, gguf-py"] = case(path, 64, BASE, tokens, llama_scores(path, tokens))

    expected = bench.folder / "scores.json"
    expected.write_text(json.dumps(list(cases.values())))
    outcome = subprocess.run(
        ["swift", "test", "--filter", "PeerScoresTests"], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"YARN_PATCH_PEER_SCORES": str(expected)})
    measured = [float(value) for value in re.findall(r"^peer scores: (\S+)$", outcome.stdout, re.M)]
    if len(measured) != len(cases):
        bench.holds("PeerScoresTests runs", False, outcome.stdout[-2000:] + outcome.stderr[-2000:])
        return
    for name, off in zip(cases, measured):
        bench.holds(name, off <= BOUND, f"{off:.2g} ≤ {BOUND:g} of the largest score")


def case(path, rotary, base, tokens, scores):
    return {"path": str(path), "rotaryDimension": rotary, "base": base, "tokens": tokens, "scores": scores}


def llama_heads(path, tokens):
    """Queries and keys before rotation of a Llama's first layer, [position][head][lane], from gguf-py's weights."""
    reader = GGUFReader(path)
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    fields = reader.fields

    def weights(name):
        tensor = tensors[name]
        return dequantize(tensor.data, tensor.tensor_type).astype(numpy.float64)

    heads = fields["llama.attention.head_count"].contents()
    epsilon = fields["llama.attention.layer_norm_rms_epsilon"].contents()
    states = weights("token_embd.weight")[tokens]
    states = states / numpy.sqrt((states ** 2).mean(axis=1, keepdims=True) + epsilon) * weights("blk.0.attn_norm.weight")
    query = (states @ weights("blk.0.attn_q.weight").T).reshape(len(tokens), heads, -1)
    key = (states @ weights("blk.0.attn_k.weight").T).reshape(len(tokens), -1, query.shape[2])
    return query, key


def llama_scores(path, tokens):
    """Scores of the last token in a Llama's first layer, in double precision."""
    query, key = (turned(heads) for heads in llama_heads(path, tokens))
    (_, heads, lanes), shared = query.shape, query.shape[1] // key.shape[1]
    return [(key[:, head // shared] @ query[-1, head] / numpy.sqrt(lanes)).tolist() for head in range(heads)]


def turned(heads, frequencies=None):
    """Rotates neighbouring lanes at each position, as llama.cpp does for this architecture."""
    pairs = heads[..., 0::2] + 1j * heads[..., 1::2]
    if frequencies is None:
        frequencies = BASE ** (-numpy.arange(pairs.shape[2]) / pairs.shape[2])
    pairs = pairs * numpy.exp(1j * numpy.outer(range(len(heads)), frequencies))[:, None]
    return numpy.stack([pairs.real, pairs.imag], axis=-1).reshape(heads.shape)


def write_first_layer(source, path, kind):
    """What the first layer needs of a model, in another type."""
    reader = GGUFReader(source)
    writer = GGUFWriter(path, "llama")
    for field in reader.fields.values():
        if field.name.startswith("llama."):
            writer.add_key_value(field.name, field.contents(), field.types[0])
    for tensor in reader.tensors:
        if tensor.name in PARTS:
            values = dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
            stored = GGMLQuantizationType.F32 if values.ndim == 1 else kind
            writer.add_tensor(tensor.name, quantize(values, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
