"""GGUF files for the crash tests, and folders of files as values."""

import os
import struct


def gguf_header(data_size, scaled=False):
    """The header of a model with one tensor, up to its data; `data_size` counts from there or, below 0, fills a file."""

    def text(value):
        return struct.pack("<Q", len(value)) + value.encode()

    entries = [
        ("general.architecture", 8, text("qwen2")),
        ("qwen2.context_length", 4, struct.pack("<I", 4096)),
        ("qwen2.attention.key_length", 4, struct.pack("<I", 64)),
        ("qwen2.rope.dimension_count", 4, struct.pack("<I", 64)),
        ("qwen2.rope.freq_base", 6, struct.pack("<f", 10000)),
    ]
    if scaled:
        entries += [
            ("qwen2.rope.scaling.type", 8, text("yarn")),
            ("qwen2.rope.scaling.factor", 6, struct.pack("<f", 2)),
            ("qwen2.rope.scaling.original_context_length", 4, struct.pack("<I", 2048)),
        ]
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(entries))
    head += b"".join(text(key) + struct.pack("<I", kind) + value for key, kind, value in entries)
    name = text("output.weight")
    end = len(head) + len(name) + 4 + 8 + 4 + 8
    start = end + -end % 32
    count = (data_size if data_size >= 0 else -data_size - start) // 4
    head += name + struct.pack("<IQIQ", 1, count, 0, 0)
    return head + bytes(start - len(head))


def gguf(data_size, scaled=False):
    return gguf_header(data_size, scaled) + os.urandom(data_size)


def snapshot(folder):
    """Every file's bytes, without records and staged files."""
    names = (name for name in os.listdir(folder) if ".yarn-patch" not in name)
    return {name: (folder / name).read_bytes() for name in names}


def lay_out(folder, files):
    """Makes the folder hold these files and nothing else."""
    for name in os.listdir(folder):
        os.unlink(folder / name)
    for name, content in files.items():
        (folder / name).write_bytes(content)
