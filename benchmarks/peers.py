"""The other projects, as their users run them; what is not installed is said, not imitated.

    pip install --no-deps prompt-optimizer selective-context; pip install pulp autocorrect spacy

LLMLingua and Selective Context read with costopt's embedded weights instead of their own default
models, which no package index carries: so that all read with the same model. LLMLingua's model is
wrapped so that it runs on a current transformers (its issue #210); nothing else of it is changed.
prompt-optimizer's optimisers that fetch data or a model when they start (entropy, stop words,
lemmas, synonyms, names) are left out.
"""

import contextlib
import io
import os
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from arms import Arm, Shorten

from costopt.core.progress import Silent

_SHORT, _MEDIUM = 50, 100
_NEEDED = {
    "LLMLingua": "llmlingua",
    "Selective Context": "selective_context",
    "prompt-optimizer": "prompt_optimizer",
}
Maker = Callable[[str, dict[str, Any]], Shorten]


def installed() -> frozenset[str]:
    """Return the names of the peers that are there."""
    return frozenset(name for name, module in _NEEDED.items() if find_spec(module) is not None)


def missing() -> list[str]:
    """Return a line for every peer that is not installed, or not whole."""
    gone = sorted(set(_NEEDED) - installed())
    found = [f"{name} is not installed, and is left out" for name in gone]
    if "Selective Context" in installed() and not find_spec("en_core_web_sm"):
        found.append("spaCy's English model is not installed: Selective Context drops words")
    return found


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep peers from writing to the terminal."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


@cache
def _folder() -> Path:
    """Return the embedded model in the format of transformers."""
    from costopt.costs.vocabulary import ensure_tiktoken
    from costopt.models.lingua_weights import find_model, model_folder

    # Spinning threads would take the CPU from whatever else runs.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    ensure_tiktoken(("cl100k_base",))
    return model_folder(find_model(None, offline=False), Silent(), offline=False)


@cache
def _lingua() -> Any:  # noqa: ANN401 - its package has no types
    folder = _folder()
    with _quiet():
        from llmlingua import PromptCompressor

        from costopt.models.lingua_engine import PairsModel

        found = PromptCompressor(
            str(folder), device_map="cpu", model_config={"trust_remote_code": False}
        )
        found.model = PairsModel(found.model.eval())
    return found


def _llmlingua(**settings: Any) -> Shorten:  # noqa: ANN401 - upstream's own
    split = settings.pop("split", False)

    def shorten(text: str, question: str) -> str:
        given = {"question": question} if "rank_method" in settings else {}
        parts = _paragraphs(text, bool(given)) if split else [text]
        with _quiet():
            found = _lingua().compress_prompt(parts, **given, **settings)
        result = str(found["compressed_prompt"])
        return result.removesuffix(question).rstrip() if given else result

    return shorten


def _paragraphs(text: str, documents: bool) -> list[str]:
    """Cut a text where its documents or examples begin."""
    mark = "\n" if documents and text.startswith("Document [") else "\n\n"
    return [part for part in text.split(mark) if part.strip()]


def llmlingua(rates: tuple[float, ...], kind: str, *, defaults: bool = False) -> Iterator[Arm]:
    """Yield LLMLingua's points for texts of a kind.

    Its defaults once, where they are asked for. Then what it needs to meet a rate: passages are
    shorter than its segments, the last of which it never compresses, so these get shorter ones;
    few-shot examples get what its own notebook on chain of thought sets (a part an example,
    ``context_budget="*1.5"``, segments of 100 tokens).
    """
    if defaults:
        plain = _llmlingua(rate=0.5)
        yield Arm(method="LLMLingua, defaults", setting="0.5", shorten=plain, peer=True)
    recommended: dict[str, dict[str, Any]] = {
        "passages": {"iterative_size": _SHORT, "use_context_level_filter": False},
        "documents": {"iterative_size": 200, "use_context_level_filter": False},
        "examples": {"iterative_size": _MEDIUM, "context_budget": "*1.5", "split": True},
    }
    for rate in rates:
        yield Arm(
            method="LLMLingua", setting=f"{rate:g}", peer=True, generate=rate == 0.65,
            shorten=_llmlingua(rate=rate, **recommended[kind]),
        )  # fmt: skip


def longllmlingua(rates: tuple[float, ...], *, defaults: bool = False) -> Iterator[Arm]:
    """Yield LongLLMLingua's points, with the settings of its README and of its notebook on RAG."""
    settings = {
        "rank_method": "longllmlingua", "condition_in_question": "after_condition",
        "reorder_context": "sort", "dynamic_context_compression_ratio": 0.3,
        "condition_compare": True, "context_budget": "+100", "split": True,
    }  # fmt: skip
    if defaults:
        plain = _llmlingua(rate=0.5, rank_method="longllmlingua", split=True)
        yield Arm(
            method="LongLLMLingua, defaults", setting="0.5", shorten=plain, peer=True, asks=True
        )
    for rate in rates:
        yield Arm(
            method="LongLLMLingua", setting=f"{rate:g}", peer=True, asks=True, generate=True,
            shorten=_llmlingua(rate=rate, **settings),
        )  # fmt: skip


def llmlingua2(model: str, rates: tuple[float, ...]) -> Iterator[Arm]:
    """Yield LLMLingua-2's points with a token classifier that the user named."""

    @cache
    def loaded() -> Any:  # noqa: ANN401 - its package has no types
        _folder()
        with _quiet():
            from llmlingua import PromptCompressor

            return PromptCompressor(
                model, use_llmlingua2=True, device_map="cpu",
                model_config={"trust_remote_code": False},
            )  # fmt: skip

    def at(rate: float) -> Shorten:
        def shorten(text: str, question: str) -> str:
            with _quiet():
                found = loaded().compress_prompt(text, rate=rate, force_tokens=["\n", "?", "."])
            return str(found["compressed_prompt"])

        return shorten

    for rate in rates:
        yield Arm(method="LLMLingua-2", setting=f"{rate:g}", shorten=at(rate), peer=True)


@cache
def _selective() -> Any:  # noqa: ANN401 - its package has no types
    folder = _folder()
    with _quiet():
        import spacy
        import torch
        from selective_context import SelectiveContext
        from transformers import AutoModelForCausalLM, AutoTokenizer

    class OnTheseWeights(SelectiveContext):
        """Reads with the embedded weights; phrases are spaCy's where its English model is there."""

        def _prepare_phrase_tokenizer(self) -> None:
            try:
                super()._prepare_phrase_tokenizer()
            except OSError:
                self.nlp = spacy.blank("en")

        def _prepare_model(self) -> None:
            self.tokenizer = AutoTokenizer.from_pretrained(folder)
            model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
            self.model = model.to(self.device).eval()
            self.max_token_length = self.model.config.max_position_embeddings
            self.get_self_information = self._get_self_info_via_gpt2

    with _quiet():
        return OnTheseWeights()


def selective_context(reductions: tuple[float, ...]) -> Iterator[Arm]:
    """Yield Selective Context's points, at its default level of phrases and by ratio."""
    for reduction in reductions:

        def shorten(text: str, question: str, reduction: float = reduction) -> str:
            with _quiet():
                return str(_selective()(text, reduce_ratio=reduction, reduce_level="phrase")[0])

        yield Arm(
            method="Selective Context", setting=f"{reduction:g} off", shorten=shorten, peer=True,
            generate=reduction == 0.35,
        )  # fmt: skip


def prompt_optimizer(*, pulp: bool = True) -> Iterator[Arm]:
    """Yield prompt-optimizer's optimisers that need no download, with their defaults.

    Args:
        pulp: Whether its integer programme is solved: it has a constraint for every pair of equal
            words, so that it takes long for long texts.
    """

    def of(name: str, **settings: Any) -> Shorten:  # noqa: ANN401 - upstream's own
        @cache
        def made() -> Any:  # noqa: ANN401 - its package has no types
            with _quiet():
                from prompt_optimizer import poptim

                return getattr(poptim, name)(**settings)

        def shorten(text: str, question: str) -> str:
            with _quiet():
                if name == "PulpOptim":
                    _without_banner()
                return str(made()(text).content)

        return shorten

    for name in ("Punctuation", "Stemmer", "Autocorrect"):
        yield Arm(
            method=f"prompt-optimizer {name.lower()}", setting="", peer=True,
            shorten=of(f"{name}Optim"),
        )  # fmt: skip
    for part in (0.1, 0.4) if pulp else ():
        yield Arm(
            method="prompt-optimizer pulp", setting=f"p={part:g}", peer=True,
            shorten=of("PulpOptim", p=part),
        )  # fmt: skip


@cache
def _without_banner() -> None:
    """Keep the solver, a program of its own, from writing to the terminal."""
    import pulp

    pulp.LpSolverDefault.msg = False
