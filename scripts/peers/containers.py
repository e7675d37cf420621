"""Every container fixture as its own library and `yarn-patch inspect` read it."""

import json
import math
import struct

from bench import FIXTURES, TINY, TINY_GGUF, Refused
from gguf import GGUFReader
from safetensors import safe_open

# Pseudo-fields of gguf-py: version, tensor count, key count.
HEADER_FIELDS = 3
NO_ROPE = {"bert.gguf"}


def gguf_files(bench):
    for path in [*sorted((FIXTURES / "gguf").glob("*.gguf")), TINY / TINY_GGUF, bench.standard_model]:
        try:
            model = bench.json("inspect", path, "--tensors")["models"][0]
        except Refused as refusal:
            bench.holds(f"{path.name} is refused", path.name in NO_ROPE, str(refusal).splitlines()[0])
            continue
        # Of a split set, the first shard holds the metadata and all of them the tensors.
        name = path.name.split("-00")[0]
        shards = sorted(path.parent.glob(f"{name}-00*.gguf")) if model["gguf"]["split"] else [path]
        readers = [GGUFReader(shard) for shard in shards]
        said = {
            "version": readers[0].fields["GGUF.version"].contents(),
            "byteOrder": {"I": "little", "S": "big"}[readers[0].byte_order],
            "alignment": readers[0].alignment, "dataOffset": readers[0].data_offset,
            "tensorCount": sum(len(reader.tensors) for reader in readers),
            "metadataCount": len(readers[0].fields) - HEADER_FIELDS}
        bench.equal(path.name, {key: model["gguf"][key] for key in said}, said)
        listed = [[tensor.name, tensor.tensor_type.name, tensor.shape.tolist()]
                  for reader in readers for tensor in reader.tensors]
        same = [[tensor["name"], tensor["type"], tensor["shape"]] for tensor in model["tensors"]] == listed
        bench.holds(f"{path.name}, names, types and shapes", same, f"{len(listed)} tensors")
        weights = sum(int(tensor.n_elements) for reader in readers for tensor in reader.tensors)
        bench.equal(f"{path.name}, parameters", model["parameters"], weights or None)


def safetensors_files(bench):
    folders = sorted(path for path in (FIXTURES / "safetensors").iterdir() if path.is_dir())
    for folder in [*folders, TINY]:
        model = bench.json("inspect", folder, "--tensors")["models"][0]
        shards = sorted(folder.glob("*.safetensors"))
        shapes, lengths = {}, []
        for shard in shards:
            lengths.append(struct.unpack("<Q", shard.read_bytes()[:8])[0])
            with safe_open(shard, framework="np") as file:
                shapes |= {key: file.get_slice(key).get_shape() for key in file.keys()}
        said = {"headerLength": sum(lengths), "tensorCount": len(shapes), "shards": len(shards)}
        bench.equal(folder.name, model["safetensors"], said)
        listed = {tensor["name"]: tensor["shape"] for tensor in model["tensors"]
                  if tensor["file"].endswith(".safetensors")}
        bench.holds(f"{folder.name}, names and shapes", listed == shapes, f"{len(shapes)} tensors")
        bench.equal(f"{folder.name}, parameters", model["parameters"], sum(map(math.prod, shapes.values())))
