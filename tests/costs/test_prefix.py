import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.types import Message, PromptTemplate, Source, Syntax
from costopt.costs.prefix import cache_floor, static_prefix


def template(syntax, *contents):
    return PromptTemplate(
        name="t",
        messages=tuple(Message("user", content) for content in contents),
        variables=(),
        syntax=syntax,
        source=Source(path="t.md", format="markdown", raw=""),
    )


@pytest.mark.parametrize(
    ("syntax", "contents", "prefix"),
    [
        (Syntax.JINJA, ["Rules.\n{{ q }} end"], "Rules.\n"),
        (Syntax.JINJA, ["{{ q }} first"], ""),
        (Syntax.JINJA, ["All of it."], "All of it."),
        (Syntax.JINJA, ["a {# aside #}b {% if x %}c{% endif %}"], "a b "),
        (Syntax.JINJA, ["System.", "User {{ q }}", "More"], "System.\n\nUser "),
        (Syntax.JINJA, ["One.", "Two."], "One.\n\nTwo."),
        (Syntax.FSTRING, ['Reply {{"a": 1}} to {q}.'], 'Reply {"a": 1} to '),
        (Syntax.MUSTACHE, ["Hi {{! aside }}there {{name}}"], "Hi there "),
        (Syntax.NONE, ["Hi {{ there }}"], "Hi {{ there }}"),
    ],
)
def test_the_text_that_every_request_begins_with(syntax, contents, prefix):
    assert static_prefix(template(syntax, *contents)) == prefix


@given(st.text("ab \n.", max_size=40), st.text(max_size=20))
def test_what_follows_the_first_placeholder_changes_nothing(before, value):
    text = template(Syntax.JINJA, before + "{{ x }}" + value.replace("{", "").replace("}", ""))
    assert static_prefix(text) == before


@pytest.mark.parametrize(
    ("ref", "floor"),
    [
        ("openai:gpt-4o-mini", 1024),
        ("openai-responses:gpt-5", 1024),
        ("anthropic:claude-opus-5", 512),
        ("anthropic:claude-opus-5-20260701", 512),
        ("anthropic:claude-opus-5-5", None),
        ("anthropic:claude-sonnet-4-5-20250929", 1024),
        ("anthropic:claude-sonnet-5", 1024),
        ("anthropic:claude-sonnet-5-5", None),
        ("anthropic:claude-opus-4-7", 2048),
        ("anthropic:claude-opus-4-5", 4096),
        ("anthropic:claude-haiku-4-5", 4096),
        ("google:gemini-2.5-flash", 2048),
        ("google-gla:gemini-2.5-pro", 4096),
        ("google:gemini-1.5-pro", None),
        ("mistral:mistral-large-latest", None),
        ("embedded", None),
    ],
)
def test_floors_are_per_model(ref, floor):
    assert cache_floor(ref) == floor
