"""Log-likelihoods by llama.cpp agree with transformers on the same weights."""

import asyncio
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from costopt.core.types import GenerationSettings, Message, Request
from costopt.models.embedded import DEFAULT_SYSTEM, EmbeddedTarget
from costopt.models.weights import source_path

pytestmark = [pytest.mark.embedded, pytest.mark.llmlingua]

_PASSAGE = (
    "The harbour office is open from eight in the morning until four in the afternoon, except on "
    "public holidays. Boats longer than twelve metres need a permit, which costs 40 euros."
)
CASES = (
    ("What is the capital of France?", "The capital of France is Paris."),
    (f"{_PASSAGE}\n\nWhen does the office open?", "eight in the morning"),
    (f"{_PASSAGE}\n\nHow much is a permit?", "40 euros"),
    ("Classify the mood: 'I waited two hours.' Answer happy or angry.", "angry"),
    ("Write the order as JSON: two lamps.", '{"item": "lamp", "quantity": 2}'),
    ("Translate 'good evening' into French.", "Bonsoir – à bientôt !"),
    ("Say something in Japanese.", "日本語です。"),
    ("Count to five.", "1, 2, 3, 4, 5"),
)


@pytest.fixture(scope="module")
def reference(weights: Path) -> tuple[Any, Any]:
    """The original weights, before our conversion, as transformers reads them."""
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    source = source_path()
    assert source is not None
    place = {"gguf_file": source.name, "local_files_only": True}
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(source.parent), **place)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        str(source.parent), dtype=torch.float32, **place
    )
    return tokenizer, model.eval()


def expected(reference: tuple[Any, Any], prompt: str, text: str) -> list[float]:
    import torch

    tokenizer, model = reference
    spoken = (
        f"<|im_start|>system\n{DEFAULT_SYSTEM}<|im_end|>\n<|im_start|>user\n{prompt}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    before = tokenizer(spoken, add_special_tokens=False)["input_ids"]
    after = tokenizer(text, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logits = model(torch.tensor([before + after])).logits[0]
    chances = torch.log_softmax(logits.double(), dim=-1)
    return [float(chances[len(before) - 1 + step, token]) for step, token in enumerate(after)]


@pytest.mark.filterwarnings("ignore")  # Third parties warn as their versions please.
def test_they_agree(embedded: EmbeddedTarget, reference: tuple[Any, Any]) -> None:
    differences: list[float] = []
    for prompt, text in CASES:
        request = Request(
            messages=(Message("user", prompt),),
            settings=GenerationSettings(),
            continuation=text,
        )
        found = asyncio.run(embedded.answer(request)).logprobs
        wanted = expected(reference, prompt, text)
        assert found is not None
        assert len(found) == len(wanted)
        differences.append(fmean(found) - fmean(wanted))
    # Nats per token: within 0.1 on average over texts, and no text far off.
    assert fmean(abs(value) for value in differences) < 0.1
    assert max(abs(value) for value in differences) < 0.3
