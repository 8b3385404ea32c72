"""Writes a GGUF as a folder that transformers loads at once: imports torch and transformers."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, modeling_gguf_pytorch_utils

from .lingua_engine import quiet


def convert(source: Path, target: Path) -> None:
    """Write the model and the tokenizer of a GGUF file into ``target``, in bfloat16.

    bfloat16 is half the size of float32, and what it rounds off is far below what four bits did.

    Args:
        source: A GGUF file whose SHA-256 was checked.
        target: An empty folder.

    Raises:
        OSError: something cannot be read or written.
    """
    options: dict[str, Any] = {"gguf_file": source.name, "local_files_only": True}
    folder = str(source.parent)
    with quiet(), _no_bar():
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16, **options)
        plain = _unmarked(model)
        plain.save_pretrained(str(target))
        tokenizer.save_pretrained(str(target))


def _unmarked(model: Any) -> Any:  # noqa: ANN401 - transformers' models have no one type
    """Return the model without the marks of quantisation, which forbid saving it."""
    for name in ("hf_quantizer", "quantization_method"):
        if hasattr(model, name):
            delattr(model, name)
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    return model


@contextmanager
def _no_bar() -> Generator[None]:
    """Keep transformers from drawing a progress bar that its own switch does not reach."""
    module: Any = modeling_gguf_pytorch_utils
    bar = getattr(module, "tqdm", None)
    if bar is None:
        yield
        return
    module.tqdm = partial(bar, disable=True)
    try:
        yield
    finally:
        module.tqdm = bar
