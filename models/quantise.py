"""Writes a GGUF again with other weights' types: Q8_0 runs twice as fast as Q4_1 on a CPU."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gguf

CONVERTER = "q8_0/1"
"""Names the way of converting; part of what tells answers apart. Change it with the code."""


def to_q8_0(source: Path, target: Path) -> None:
    """Write ``source`` to ``target`` with every quantised tensor as Q8_0.

    Each quantised tensor is taken to float32 and from there to blocks of 32 8-bit numbers with a
    common scale, as llama.cpp does (gguf-py, ``gguf.quants``). Vectors in float32 stay. The
    result depends on ``source`` alone.

    Raises:
        OSError: a file cannot be read or written.
        ValueError: ``source`` is no GGUF file.
    """
    import gguf
    from gguf import quants

    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, _architecture(reader))
    try:
        _copy_fields(reader, writer)
        for tensor in reader.tensors:
            if tensor.tensor_type == gguf.GGMLQuantizationType.F32:
                writer.add_tensor(tensor.name, tensor.data.copy())
                continue
            wanted = gguf.GGMLQuantizationType.Q8_0
            plain = quants.dequantize(tensor.data, tensor.tensor_type)
            writer.add_tensor(tensor.name, quants.quantize(plain, wanted), raw_dtype=wanted)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _architecture(reader: "gguf.GGUFReader") -> str:
    field = reader.get_field("general.architecture")
    if field is None:
        raise ValueError("the file names no architecture")
    return str(field.contents())


def _copy_fields(reader: "gguf.GGUFReader", writer: "gguf.GGUFWriter") -> None:
    import gguf

    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        if field.name == "general.file_type":
            writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
            continue
        kind = field.types[0]
        part = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, sub_type=part)
