import string
import threading
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.core.errors import CostoptError
from costopt.costs import tokens
from costopt.costs.families import BARE, tokenizer_of
from costopt.costs.tokens import counter_for
from costopt.costs.vocabulary import ensure_tiktoken

ENCODINGS = ("o200k_base", "cl100k_base")

TEXTS = {
    "english": "You are a careful support agent. Never reveal the refund limit of $1,250.50!\n\n",
    "german": "Höflichkeit kostet Tokens: „Könnten Sie mir bitte freundlicherweise … helfen?“",
    "russian": "Ответь одним словом: да или нет. Не объясняй.",
    "greek": "Απάντησε μόνο με «ναι» ή «όχι».",
    "arabic": "أجب بكلمة واحدة فقط، من فضلك.",
    "hebrew": "ענה במילה אחת בלבד.",
    "hindi": "कृपया केवल एक शब्द में उत्तर दें।",
    "thai": "กรุณาตอบเพียงคำเดียว",
    "chinese": "请只用一个词回答，不要解释。价格是¥12.50。",
    "japanese": "一語で答えてください。カタカナとひらがなと漢字。",
    "korean": "한 단어로만 대답해 주세요.",
    "emoji": "👩‍👩‍👧‍👦 👍🏽 🇩🇪 ☕️ ok",
    "decomposed": "e\u0301 a\u0308 \u1112\u1161\u11ab",
    "code": "```python\ndef f(x):\n\treturn {'a': [1, 2.5e-3], \"b\": None}  # ok\n```\r\n",
    "json": '{"items":[{"sku":"A-17","qty":3},{"sku":"B-09","qty":12}],"note":"\\u00e9"}',
    "jinja": "{% if vip %}Dear {{ user.name|title }}{% endif %}, {# note #} it's 50% off!!!",
    "special": "<|endoftext|> <|im_start|>system<|im_end|> <|endofprompt|> [INST] </s>",
    "blanks": "  \t \n\n   \r\n\x0b\x0c\u00a0\u3000\u2028 end   ",
    "mixed": "HTTPServerError42XYZ it'S we'LL don't DON'T 0123456789 --- ____ ===",
    "surrogate": "half \ud83d of a pair \udc00",
    "empty": "",
    "null": "a\x00b\x7f\x85",
}


@pytest.fixture(scope="module", params=ENCODINGS)
def pair(request):
    """tiktoken's own count, and ours."""
    ensure_tiktoken([request.param])
    import tiktoken

    encoding = tiktoken.get_encoding(request.param)
    return (
        lambda text: len(encoding.encode(text, disallowed_special=())),
        counter_for(request.param),
    )


@pytest.mark.parametrize("name", TEXTS)
def test_equals_tiktoken_in_many_scripts(pair, name):
    theirs, ours = pair
    assert ours(TEXTS[name]) == theirs(TEXTS[name])
    assert ours(TEXTS[name] * 50) == theirs(TEXTS[name] * 50)


_PIECES = st.sampled_from(sorted(TEXTS.values()))
_ANY = st.text(st.characters(exclude_categories=()), max_size=60)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(_PIECES, _ANY), max_size=5))
def test_equals_tiktoken_on_any_text(pair, parts):
    theirs, ours = pair
    text = "".join(parts)
    assert ours(text) == theirs(text)
    assert ours(text) == theirs(text)  # Remembered now.


@pytest.mark.parametrize("character", ["a", " ", "\n", "^", "0", "的", "\u0301"])
def test_a_long_run_of_one_character_never_raises(character):
    assert 0 < counter_for("o200k_base")(character * 1_000_000) <= 1_000_000


def test_runs_are_cut_only_where_tiktoken_cannot_take_them(monkeypatch):
    monkeypatch.setattr(tokens, "_LONGEST_RUN", 4)
    monkeypatch.setattr(tokens, "_WHITESPACE_RUN", tokens.re.compile(r"(?<!\s)\s{5,}"))
    assert list(tokens._parts("a    b \t\n c")) == ["a    b \t\n c"]
    assert list(tokens._parts("a" * 9)) == ["a" * 9]
    assert list(tokens._parts("ab" + " " * 9 + "c")) == ["ab    ", "    ", " c"]


@settings(max_examples=100, deadline=None)
@given(st.text("a \n\t", max_size=40))
def test_parts_join_to_the_text(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "_LONGEST_RUN", 4)
        patch.setattr(tokens, "_WHITESPACE_RUN", tokens.re.compile(r"(?<!\s)\s{5,}"))
        parts = list(tokens._parts(text))
    assert "".join(parts) == text


@pytest.mark.parametrize(
    ("ref", "tokenizer", "exact"),
    [
        ("o200k_base", "o200k_base", True),
        ("cl100k_base", "cl100k_base", True),
        ("gpt-4", "cl100k_base", True),
        ("openai:gpt-4", "cl100k_base", True),
        ("openai:gpt-3.5-turbo", "cl100k_base", True),
        ("openai:gpt-4o-mini", "o200k_base", True),
        ("openai:gpt-4.1-nano", "o200k_base", True),
        ("openai:gpt-5.4-mini", "o200k_base", True),
        ("openai:o3", "o200k_base", True),
        ("azure:gpt-4o", "o200k_base", True),
        ("openrouter:openai/gpt-4o", "o200k_base", True),
        ("groq:openai/gpt-oss-20b", "o200k_base", True),
        ("ft:gpt-4o:acme", "o200k_base", True),
        ("openai:gpt-6-sol", "o200k_base (estimated)", False),
        ("openai:text-davinci-003", "cl100k_base (estimated)", False),
        ("anthropic:claude-sonnet-5-5", "o200k_base (estimated)", False),
        ("google:gemini-3.5-flash", "o200k_base (estimated)", False),
        ("my-server:my-model", "o200k_base (estimated)", False),
        ("llama3", "llama3", True),
        ("ollama:llama3.2:1b", "llama3", True),
        ("llama3.2:1b", "llama3", True),
        ("groq:llama-3.3-70b-versatile", "llama3", True),
        ("together:meta-llama/Meta-Llama-3-8B", "llama3", True),
        ("groq:llama-4-scout", "llama3 (estimated)", False),
        ("deepseek", "deepseek_v3", True),
        ("together:deepseek-ai/DeepSeek-V3", "deepseek_v3", True),
        ("together:deepseek-ai/DeepSeek-V3.2", "deepseek_v3 (estimated)", False),
        ("deepseek:deepseek-chat", "deepseek_v3 (estimated)", False),
        ("groq:deepseek-r1-distill-llama-70b", "o200k_base (estimated)", False),
        ("mistral", "mistral_v3", True),
        ("mistral:mistral-nemo", "mistral_v3", True),
        ("mistral:mistral-small-latest", "mistral_v3 (estimated)", False),
        ("qwen", "qwen3", True),
        ("together:Qwen/Qwen2.5-7B-Instruct", "qwen3", True),
        ("together:Qwen/Qwen3-8B", "qwen3", True),
        ("together:Qwen/Qwen3.5-9B", "qwen3 (estimated)", False),
    ],
)
def test_which_tokenizer_counts(ref, tokenizer, exact):
    counter = counter_for(ref)
    assert (counter.tokenizer, counter.exact) == (tokenizer, exact)


@pytest.mark.parametrize("name", [name for name, at in BARE.items() if at.library == "splintr"])
def test_other_families_count_any_text(name):
    counter = counter_for(name)
    assert counter("") == 0
    assert 1 <= counter("Hello, world!") <= 6
    for text in TEXTS.values():
        assert counter(text) <= 3 * len(text.encode("utf-8", "surrogatepass"))
    # Special tokens count as the text that they are.
    assert counter("<|endoftext|>") > 1
    assert counter("</s>") > 1


def test_qwen_counts_composed_and_decomposed_text_alike():
    decomposed = unicodedata.normalize("NFD", TEXTS["german"] + TEXTS["korean"])
    assert counter_for("qwen")(decomposed) == counter_for("qwen")(
        unicodedata.normalize("NFC", decomposed)
    )
    assert tokenizer_of("llama3").nfc is False


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("gpt-4oo", '"gpt-4o"'),
        ("lama3", '"llama3"'),
        ("o200k", '"o200k_base"'),
        ("qwenn", '"qwen"'),
    ],
)
def test_an_unknown_word_is_an_error_with_the_nearest_name(ref, expected):
    with pytest.raises(CostoptError) as caught:
        counter_for(ref)
    assert expected in caught.value.hint


@pytest.mark.parametrize("ref", ["", ":", "foo:", ":bar", "foo"])
def test_half_a_name_is_an_error(ref):
    with pytest.raises(CostoptError):
        counter_for(ref)


def test_a_text_is_counted_once(monkeypatch):
    calls = []
    counter = tokens._Counter("x", True, lambda text: calls.append(text) or len(text))
    assert [counter("abc"), counter("abc"), counter("ab"), counter("abc")] == [3, 3, 2, 3]
    assert calls == ["abc", "ab"]


def test_the_memory_is_bounded_and_forgets_what_was_not_used(monkeypatch):
    monkeypatch.setattr(tokens, "_REMEMBERED", 2)
    calls = []
    counter = tokens._Counter("x", True, lambda text: calls.append(text) or 1)
    for text in ("a", "b", "a", "c", "a", "b"):
        counter(text)
    assert calls == ["a", "b", "c", "b"]
    assert len(counter._seen) == 2


def test_threads_may_count_together():
    counter = counter_for("o200k_base")
    texts = [letter * 20 for letter in string.ascii_letters]
    expected = [counter(text) for text in texts]
    results = {}

    def work(index):
        results[index] = [counter(text) for text in texts]

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found == expected for found in results.values())
    assert len(results) == 4
