"""LLMLingua-2 through the real package, on a tiny classifier with random weights."""

import json
import os
import random
from pathlib import Path

import numpy
import pytest

from costopt.compressors.base import StrategyContext
from costopt.compressors.registry import get
from costopt.core.errors import CostoptError
from costopt.core.progress import Silent
from costopt.core.protocols import ContextCompressor
from costopt.costs.tokens import counter_for
from costopt.models.lingua import open_lingua

pytestmark = pytest.mark.llmlingua

TEXT = (
    "The workshop repairs lamps from Monday to Friday. It charges 12 euros an hour, and never "
    "opens on holidays. Customers bring a lamp to the counter, describe what is wrong with it, "
    "and come back after two days. "
)


def save(folder: Path, kind: str) -> Path:
    """Write a classifier of two layers with a vocabulary of letters and some words."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import (
        BertConfig,
        BertForTokenClassification,
        PreTrainedTokenizerFast,
        XLMRobertaConfig,
        XLMRobertaForTokenClassification,
    )

    letters = sorted({c for c in TEXT if not c.isspace()} | set("abcdefghijklmnopqrstuvwxyz"))
    words = ["workshop", "lamp", "customers", "the"]
    if kind == "bert":
        marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        vocabulary = [*marks, *words, *letters, *(f"##{c}" for c in letters)]
        inner = Tokenizer(
            models.WordPiece({w: i for i, w in enumerate(vocabulary)}, unk_token="[UNK]")
        )
        inner.normalizer = normalizers.NFC()
        inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        names = dict(zip(("pad", "unk", "cls", "sep", "mask"), marks, strict=True))
        config, model = BertConfig, BertForTokenClassification
    else:
        marks = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        vocabulary = [*marks, "▁", *(f"▁{w}" for w in words), *letters]
        inner = Tokenizer(models.Unigram([(w, -float(i)) for i, w in enumerate(vocabulary)], 3))
        inner.pre_tokenizer = pre_tokenizers.Metaspace()
        names = dict(zip(("bos", "pad", "eos", "unk", "mask"), marks, strict=True))
        names |= {"cls": "<s>", "sep": "</s>"}
        config, model = XLMRobertaConfig, XLMRobertaForTokenClassification
    given = {f"{name}_token": mark for name, mark in names.items()}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, **given)
    tokenizer.save_pretrained(str(folder))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        made = model(
            config(
                vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2,
                num_attention_heads=2, intermediate_size=64, max_position_embeddings=520,
                num_labels=2, pad_token_id=vocabulary.index(names["pad"]),
            )
        )  # fmt: skip
    made.save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="module", params=["bert", "roberta"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture
def lingua(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ContextCompressor:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return open_lingua(None, offline=True, progress=Silent())


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "TIKTOKEN_CACHE_DIR"}


def test_a_classifier_of_the_users_own_is_really_asked(
    lingua: ContextCompressor, folder: Path
) -> None:
    states = random.getstate(), numpy.random.get_state()[1].tolist(), environment()
    words = lingua.worth(TEXT, model=str(folder))
    assert (random.getstate(), numpy.random.get_state()[1].tolist(), environment()) == states
    written = [TEXT[word.start : word.end] for word in words]
    assert "".join(written) == "".join(TEXT.split())
    assert {"workshop", "Friday", "12", "."} <= set(written)
    assert all(0 < word.score <= 1 for word in words)
    assert len({word.score for word in words}) > len(words) / 2


def test_text_beyond_the_models_positions_is_read_in_parts(
    lingua: ContextCompressor, folder: Path
) -> None:
    text = TEXT * 6 + "请 👩\u200d🔧 \ufeff " + TEXT
    words = lingua.worth(text, model=str(folder))
    assert "".join(text[w.start : w.end] for w in words) == "".join(text.split())
    scores = [word.score for word in words if text[word.start : word.end] == "workshop"]
    assert len(scores) == 7
    assert all(score < 1 for score in scores)


def test_the_strategy_meets_the_rate(lingua: ContextCompressor, folder: Path) -> None:
    context = StrategyContext(count=counter_for("o200k_base"), compressor=lingua)
    short = get("llmlingua2", rate=0.5, model=str(folder))(TEXT, context=context)
    assert context.count(short) / context.count(TEXT) == pytest.approx(0.5, rel=0.06)
    for anchor in ("12 euros", "never", "two days"):
        assert anchor in short


def test_other_models_are_named_errors(
    lingua: ContextCompressor, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(CostoptError, match="no such folder"):
        lingua.worth(TEXT, model="nobody/nothing-of-this-name")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    other = tmp_path / "causal"
    other.mkdir()
    (other / "model.safetensors").write_bytes(b"x")
    (other / "config.json").write_text(
        json.dumps({**config, "architectures": ["LlamaForCausalLM"]}), encoding="utf-8"
    )
    with pytest.raises(CostoptError, match="classifies no tokens"):
        lingua.worth(TEXT, model=str(other))
    with pytest.raises(CostoptError, match="classifies tokens"):
        lingua.surprisal(TEXT, model=str(folder))
