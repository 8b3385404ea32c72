"""The real llmlingua on the embedded model's weights."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import regex

from costopt.compressors.base import StrategyContext
from costopt.compressors.variants import propose
from costopt.core.errors import CostoptError
from costopt.core.progress import Silent
from costopt.core.protocols import ContextCompressor
from costopt.core.types import Message, PromptTemplate, Source, StrategySpec, Syntax
from costopt.costs.tokens import counter_for
from costopt.models import lingua_weights
from costopt.models.lingua import open_lingua
from costopt.models.lingua_weights import find_model, model_folder

pytestmark = pytest.mark.llmlingua

PROSE = (
    "You are an extremely helpful, very experienced assistant who works for the customer service "
    "of a company that sells garden furniture to private customers all over the country. Your task "
    "is to read the message of the customer very carefully from the beginning to the end, and then "
    "to decide which one of our teams should take care of it. Please keep in mind that customers "
    "are often in a hurry, so that a message may contain typing errors, or may be about more than "
    "one topic at the same time. In that case you should choose the topic that is the main reason "
    "for the message. Never promise a refund. Answer with at most 12 words about {topic}, and do "
    "not mention https://example.org/terms to anybody. "
)
LONG = PROSE + (
    "The warehouse team takes care of parcels that are late, lost or damaged on their way to the "
    "customer. The accounts team takes care of invoices, of payments that failed or that were made "
    "twice, and of changes to the address of a customer. The workshop takes care of furniture that "
    "broke during the first year after it was bought, and of requests for spare parts such as "
    "screws, cushions and covers. Everything else, such as praise, complaints and questions about "
    "our opening hours, is for the front desk."
)
KEEP = ["Never", "at most 12 words", "{topic}", "not", "https://example.org/terms"]


@pytest.fixture(scope="module")
def folder() -> Path:
    """The converted weights, made once in the user's cache."""
    return model_folder(find_model(None, offline=False), Silent(), offline=False)


@pytest.fixture(scope="module")
def home(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of the tests' own: no result is there."""
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(path))
        yield path


@pytest.fixture(scope="module")
def lingua(folder: Path, home: Path) -> ContextCompressor:
    return open_lingua(str(folder), offline=True, progress=Silent())


def tokens(text: str) -> int:
    return counter_for("o200k_base")(text)


def is_subsequence(part: str, whole: str) -> bool:
    rest = iter(whole)
    return all(character in rest for character in part)


def in_another_process(code: str, home: Path) -> str:
    environment = {**os.environ, "XDG_CACHE_HOME": str(home), "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, timeout=240, env=environment, cwd=home,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


def program(folder: Path) -> str:
    return (
        "import sys, json, socket\n"
        "def refuse(*args): print('a connection to', args[1:], file=sys.stderr)\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from costopt.core.progress import Silent\n"
        "from costopt.models.lingua import open_lingua\n"
        f"lingua = open_lingua({str(folder)!r}, offline=True, progress=Silent())\n"
        f"text = lingua.compress({LONG!r}, rate=0.6, keep={KEEP!r})\n"
        "print(json.dumps([text, 'torch' in sys.modules]))\n"
    )


def test_the_rate_is_met_past_one_segment_and_what_is_kept_stays(
    lingua: ContextCompressor,
) -> None:
    assert tokens(LONG) > 220  # more than one of LLMLingua's segments of 200
    for rate in (0.7, 0.4):
        result = lingua.compress(LONG, rate=rate, keep=KEEP)
        assert is_subsequence(result, LONG)
        assert set(result.replace(",", " ").replace(".", " ").split()) <= set(
            LONG.replace(",", " ").replace(".", " ").split()
        )
        protected = sum(tokens(string) for string in KEEP)
        reached = (tokens(result) - protected) / (tokens(LONG) - protected)
        assert reached == pytest.approx(rate, abs=0.08)
        for string in KEEP:
            assert result.count(string) == LONG.count(string)


def test_two_processes_agree_and_a_stored_result_needs_no_torch(
    lingua: ContextCompressor, folder: Path, home: Path, tmp_path: Path
) -> None:
    here = lingua.compress(LONG, rate=0.6, keep=KEEP)
    text, loaded = json.loads(in_another_process(program(folder), tmp_path))
    assert (text, loaded) == (here, True)
    text, loaded = json.loads(in_another_process(program(folder), home))
    assert (text, loaded) == (here, False)


def test_other_scripts_stay_whole(lingua: ContextCompressor) -> None:
    text = (
        "请仔细阅读客户的信息，然后决定由哪个团队负责处理这个问题。我们的客户经常很忙。 "
        "お客様のメッセージをよく読んでください。回答は短くしてください。 "
        "Team 👩\u200d🔧🇩🇪 привет всем, "
        "여러분 안녕하세요 নমস্কার cafe\u0301 مرحبا بالعالم. " * 2
    )
    result = lingua.compress(text, rate=0.5, keep=[])
    assert "\ufffd" not in result
    assert is_subsequence(result, text)
    assert set(regex.findall(r"\X", result)) <= set(regex.findall(r"\X", text))
    assert tokens(result) < 0.75 * tokens(text)


def test_what_words_tell_is_read_once_and_in_the_place_where_they_stand(
    lingua: ContextCompressor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = lingua.surprisal(LONG)
    assert "".join(LONG[w.start : w.end] for w in words) == "".join(LONG.split())
    told = {LONG[w.start : w.end]: w.score for w in words}
    assert min(told.values()) >= 0
    assert told["cushions"] > told["to"]
    again = open_lingua(str(folder), offline=True, progress=Silent())
    assert again.surprisal(LONG) == words
    assert lingua.surprisal(" \n") == ()
    # Beyond a window, words are judged with what stood before them still in sight.
    monkeypatch.setattr("costopt.models.lingua_engine._WINDOW", 400)
    tail = lingua.surprisal(f"{LONG}\n{LONG}")[-len(words) :]
    skipped = len(LONG) + 1
    last = {LONG[w.start - skipped : w.end - skipped]: w.score for w in tail}
    assert last["cushions"] < told["cushions"] / 2


def test_a_question_decides_what_is_left(lingua: ContextCompressor) -> None:
    documents = [
        "The baker of our street sells 40 kinds of bread, cakes and biscuits every morning.",
        "The harbour was dug in 1874 by the engineer Ada Hale, and it has never been closed since.",
        "Tomatoes need much sun, a little water in the evening, and a stick that they can climb.",
    ]
    left = lingua.answering(
        documents, "Who dug the harbour?", rate=0.5, keep=["1874", "never", "40 kinds"]
    )
    assert 1 <= len(left) <= 3
    assert tokens("".join(left)) < 0.85 * tokens("".join(documents))
    for text in left:
        (whole,) = [document for document in documents if is_subsequence(text, document)]
        for string in ("1874", "never", "40 kinds"):
            assert (string in text) == (string in whole)
    assert lingua.answering(documents, "Who?", rate=1.0, keep=[]) == tuple(documents)
    assert lingua.answering([" "], "Who?", rate=0.5, keep=[]) == (" ",)
    for odd in (["请 👩\u200d🔧"], ["\ud800 x", "\n"], ["a"]):
        assert all(lingua.answering(odd, "?", rate=0.5, keep=[]))


def test_text_beyond_the_models_positions_is_read_in_parts(lingua: ContextCompressor) -> None:
    log = "\n".join(f"{n:05} level=info worker={n % 7} took={n * 37 % 991}ms" for n in range(600))
    text = f"{LONG}\n\n```\n{log}\n```\n\n{LONG}\n\nEND {{topic}}"
    assert tokens(text) > 8192
    result = lingua.compress(text, rate=0.5, keep=[*KEEP, log])
    assert log in result
    assert result.endswith("{topic}")
    head, _, tail = result.partition(log)
    assert tokens(head) < 0.75 * tokens(LONG)
    assert tokens(tail) < 0.75 * tokens(LONG)


def test_awkward_texts_come_back(lingua: ContextCompressor) -> None:
    for text in ("", " ", "\n\n", "a", "!", "\ufeff", "\ud800 half", "<|endoftext|> is text"):
        result = lingua.compress(text, rate=0.5, keep=[])
        assert is_subsequence(result, text)
        assert bool(result.strip()) == bool(text.strip())
    assert lingua.compress(LONG, rate=1.0, keep=[]) == LONG
    with pytest.raises(ValueError, match="rate"):
        lingua.compress(LONG, rate=0.0, keep=[])


def test_the_process_is_left_as_it_was(lingua: ContextCompressor) -> None:
    import torch

    environment = dict(os.environ)
    random.seed(3)
    torch.manual_seed(3)
    threads, states = torch.get_num_threads(), (random.getstate(), torch.get_rng_state().tolist())
    lingua.compress(PROSE, rate=0.55, keep=[])
    assert (random.getstate(), torch.get_rng_state().tolist()) == states
    assert torch.get_num_threads() == threads
    assert dict(os.environ) == environment
    assert torch.is_grad_enabled()


def test_a_damaged_result_is_made_again(lingua: ContextCompressor, home: Path) -> None:
    first = lingua.compress(PROSE, rate=0.5, keep=[])
    for path in (home / "costopt" / "llmlingua" / "results").iterdir():
        path.write_text('{"text": 3}', encoding="utf-8")
    assert lingua.compress(PROSE, rate=0.5, keep=[]) == first


def test_a_stored_result_counts_what_it_took_and_loading_does_not(folder: Path, home: Path) -> None:
    first, again = (open_lingua(str(folder), offline=True, progress=Silent()) for _ in range(2))
    first.compress(PROSE, rate=0.45, keep=[])
    assert first.correction_s < 0
    for path in (home / "costopt" / "llmlingua" / "results").iterdir():
        kept = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({**kept, "seconds": 1000.0}), "utf-8")
    again.compress(PROSE, rate=0.45, keep=[])
    assert 900 < again.correction_s < 1000


def test_the_strategy_passes_the_guard(lingua: ContextCompressor) -> None:
    content = f"# Task\n\n- {LONG}\n- Reply in JSON.\n\nMessage: {{message}}\nTeam:"
    template = PromptTemplate(
        name="p",
        messages=(Message("user", content),),
        variables=("topic", "message"),
        syntax=Syntax.FSTRING,
        source=Source(path="p.md", format="markdown", raw=content),
    )
    context = StrategyContext(count=counter_for("o200k_base"), compressor=lingua)
    spec = StrategySpec("llmlingua", {"rate": 0.6})
    (variant,) = propose(template, ((spec,),), context)
    assert variant.rejected is None
    assert tokens(variant.template.text) < 0.8 * tokens(content)
    assert variant.template.text.endswith("Message: {message}\nTeam:")
    assert "Reply in JSON." in variant.template.text
    assert "rate 0.6 requested" in variant.notes[0]


def test_models_that_cannot_be_used_are_named_errors(home: Path, tmp_path: Path) -> None:
    with pytest.raises(CostoptError, match="no such folder"):
        find_model("nobody/nothing-of-this-name", offline=True)
    with pytest.raises(CostoptError, match="no such folder"):
        find_model("not a name / at all", offline=True)
    with pytest.raises(CostoptError, match="configuration"):
        find_model(str(tmp_path), offline=True)
    config = tmp_path / "config.json"
    config.write_text('{"architectures": ["BertForTokenClassification"]}', encoding="utf-8")
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(CostoptError, match="safetensors"):
        find_model(str(tmp_path), offline=True)
    (tmp_path / "model.safetensors").write_bytes(b"x")
    with pytest.raises(CostoptError, match="LLMLingua-2"):
        find_model(str(tmp_path), offline=True)
    config.write_text('{"architectures": ["LlamaForCausalLM"]}', encoding="utf-8")
    with pytest.raises(CostoptError, match="cannot load"):
        open_lingua(str(tmp_path), offline=True, progress=Silent()).compress(
            PROSE, rate=0.5, keep=[]
        )


def test_a_models_identity_is_its_contents(home: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"one")
    first = find_model(str(tmp_path), offline=True).identity
    assert find_model(str(tmp_path), offline=True).identity == first
    (tmp_path / "model.safetensors").write_bytes(b"two")
    assert find_model(str(tmp_path), offline=True).identity != first


def test_without_the_extra_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costopt.models.lingua.PACKAGES", ("llmlingua", "no-such-package"))
    with pytest.raises(CostoptError, match="no-such-package") as caught:
        open_lingua(None, offline=True, progress=Silent())
    assert "costopt[llmlingua]" in (caught.value.hint or "")


def test_an_interrupted_conversion_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(lingua_weights, "source_path", lambda: tmp_path / "no.gguf")
    with pytest.raises(CostoptError, match="cannot be written"):
        model_folder(find_model(None, offline=True), Silent(), offline=True)
    assert [p.name for p in (tmp_path / "costopt" / "llmlingua").iterdir()] == [".lock"]
