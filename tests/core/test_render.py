import json
import os
import subprocess
import sys

import pystache
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.core.errors import CostoptError
from costopt.core.formats import load_string
from costopt.core.jinja import MEMORY_BYTES, is_simple
from costopt.core.render import MAX_CHARACTERS, plain, render
from costopt.core.scanners import scan_jinja
from costopt.core.stache import render_stache
from costopt.core.types import Syntax


def prompt(text, kind="jinja"):
    if kind in ("mustache", "fstring", "none"):
        return load_string(f"---\nplaceholders: {kind}\n---\n{text}")
    return load_string(text, format=kind)


def filled(text, kind="jinja", **values):
    return render(prompt(text, kind), values)[0].content


@pytest.mark.parametrize(
    ("text", "kind", "values", "expected"),
    [
        ("Hi {{ name }}!\n", "jinja", {"name": "Ada"}, "Hi Ada!\n"),
        ("{{ self }} {{ name }}", "jinja", {"self": 1, "name": "n"}, "1 n"),
        ("{% for d in ds %}{{ d.t|upper }};{% endfor %}", "jinja", {"ds": [{"t": "a"}]}, "A;"),
        ("{% set a = [x, x] %}{{ a|length }}", "jinja", {"x": 1}, "2"),
        ("{{ d.items()|list|length }}", "jinja", {"d": {"a": 1}}, "1"),
        ("{{ x|default('none') }}", "jinja", {}, "none"),
        ("{% raw %}{{ x }}{% endraw %}", "jinja", {}, "{{ x }}"),
        ("<{{ x }}>", "jinja", {"x": "<b>&"}, "<<b>&>"),
        ("{x} {{x}} {y}", "fstring", {"x": "{y}", "y": 2}, "{y} {x} 2"),
        ("{x} {{ y }} {% z %}", "none", {}, "{x} {{ y }} {% z %}"),
        ("{{a.b}} {{{c}}} {{&c}}", "mustache", {"a": {"b": 1}, "c": "<>"}, "1 <> <>"),
        ("{{#xs}}\n- {{.}}\n{{/xs}}\nend", "mustache", {"xs": [1, 2]}, "- 1\n- 2\nend"),
        ("{{#ok}}{{q}}{{/ok}}{{^no}}!{{/no}}", "mustache", {"ok": True, "no": [], "q": "v"}, "v!"),
        ("a\r\n{{! note }}\r\nb", "mustache", {}, "a\r\nb"),
        ("{{#if a}}x{{else if b}}y{{else}}z{{/if}}", "dotprompt", {"a": 0, "b": 1}, "y"),
        ("{{#each xs}}{{@index}}{{this}}{{#unless @last}},{{/unless}}{{/each}}", "dotprompt",
         {"xs": ["p", "q"]}, "0p,1q"),
        ("{{#each xs as |v i|}}{{i}}{{v.n}}{{../z}}{{/each}}", "dotprompt",
         {"xs": [{"n": "a"}], "z": "!"}, "0a!"),
        ("{{#with u}}{{name}}{{/with}} {{json u}} \\{{u}}", "dotprompt",
         {"u": {"name": "é"}}, 'é {"name": "é"} {{u}}'),
        ("a  {{~ x ~}}  b{{history}}", "dotprompt", {"x": "-"}, "a-b"),
        ("{{#ifEquals a 'x'}}1{{else}}2{{/ifEquals}}", "dotprompt", {"a": "x"}, "1"),
    ],
)  # fmt: skip
def test_renders(text, kind, values, expected):
    assert filled(text, kind, **values) == expected


@pytest.mark.parametrize(
    ("text", "kind", "name", "line"),
    [
        ("a\n{{ who }}", "jinja", "who", 2),
        ("{% if who %}{% endif %}", "jinja", "who", 1),
        ("é\n\n{{ a.b }}", "jinja", "a.b", 3),
        ("x\n{who}", "fstring", "who", 5),
        ("x\n{{who}}", "mustache", "who", 5),
        ("x\n{{who.name}}", "dotprompt", "who.name", 2),
    ],
)
def test_an_undefined_variable_is_named_with_its_line(text, kind, name, line):
    with pytest.raises(CostoptError, match=f'undefined variable "{name}"') as caught:
        filled(text, kind, a={})
    assert caught.value.where is not None
    assert caught.value.where.line == line


def test_an_edited_message_still_names_the_files_line():
    template = prompt("first line\n\nplease say {{ who }}")
    edited = type(template.messages[0])("user", "say {{ who }}")
    with pytest.raises(CostoptError) as caught:
        render(type(template)(**{**vars(template), "messages": (edited,)}), {})
    assert caught.value.where is not None
    assert caught.value.where.line == 3


def test_defaults_fill_in():
    template = load_string("---\ndefaults: {who: you}\n---\n{{ who }} {{ x }}")
    assert render(template, {"x": 1})[0].content == "you 1"
    assert render(template, {"x": 1, "who": "me"})[0].content == "me 1"


@pytest.mark.parametrize("bad", [object(), {1, 2}, b"x", lambda: 1])
def test_only_plain_data_is_rendered(bad):
    with pytest.raises(CostoptError, match='the value of "x" is'):
        filled("{{ x }}", x=[bad])


def test_values_are_never_changed_or_called():
    values = {"xs": [1]}
    filled("{% if xs.append(2) %}{% endif %}{{ xs|length }}", **values)
    assert values == {"xs": [1]}
    assert filled("{x.__class__} {x}", "none", x=1) == "{x.__class__} {x}"


def test_deep_values_are_refused():
    deep: list = []
    for _ in range(80):
        deep = [deep]
    with pytest.raises(CostoptError, match="nested deeper"):
        plain({"x": deep})


BOMBS = {
    "repeat": "{{ 'a' * 10**9 }}",
    "loops": "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}",
    "input loops": "{% for a in xs %}{% for b in xs %}{% for c in xs %}x{% endfor %}{% endfor %}"
    "{% endfor %}",
    "format width": "{{ '%999999999d'|format(1) }}",
    "indent": "{{ 'a'|indent(999999999) }}",
    "json indent": "{{ d|tojson(indent=999999999) }}",
    "power": "{{ 9**9**9 }}",
    "shared lists": "{{ [[[1]*1000]*1000]*1000 }}",
    "doubling text": "{% set n=namespace(x='aaaaaaaaaa') %}{% for i in range(60) %}"
    "{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x|length }}",
    "extend": "{% for i in range(60) %}{% if xs.extend(xs) %}{% endif %}{% endfor %}{{ xs }}",
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "deep parser": "{{ " + "-" * 100_000 + "1 }}",
    "deep tree": "{{ 1" + "+1" * 100_000 + " }}",
    "many branches": "{% if d %}" + "{% elif d %}" * 20_000 + "{% endif %}",
    "join": "{{ xs|join(xs|join(xs|join)) }}",
}
SCRIPT = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (8, 8))
from costopt.core.errors import CostoptError
from costopt.core.formats import load_string
from costopt.core.render import render
survived = []
for name, text in json.load(sys.stdin).items():
    try:
        render(load_string(text, format="jinja"), {"xs": list(range(1000)), "d": {"a": 1}})
        survived.append(name)
    except CostoptError:
        pass
# Not ru_maxrss: that begins with the memory of the process which started this one.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([survived, int(peak.split()[1])]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_template_bombs_are_refused_in_little_memory():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(BOMBS),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    survived, memory_kb = json.loads(done.stdout)
    assert survived == []
    assert memory_kb * 1024 < MEMORY_BYTES


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("{{#xs}}" * 8 + "x" + "{{/xs}}" * 8, "mustache", {"xs": [1] * 100}),
        ("{{#xs}}{{big}}{{/xs}}", "mustache", {"xs": [1] * 100, "big": "a" * 100_000}),
        ("{{#each xs}}" * 9 + "{{/each}}" * 9, "dotprompt", {"xs": {"a": {}}}),
        ("{{#if a}}" * 100 + "{{/if}}" * 100, "dotprompt", {"a": 1}),
        ("{big}" * 100, "fstring", {"big": "a" * 100_000}),
        ("{{ big }}" * 3, "jinja", {"big": "a" * 1_000_000}),
    ],
)
def test_too_much_is_refused(text, kind, values):
    if kind == "dotprompt" and "xs" in values:
        text = text.replace("{{#each xs}}", "{{#each @root.xs}}")
        values = {"xs": [1] * 30}
    with pytest.raises(CostoptError, match=r"too much|more than|deeper"):
        filled(text, kind, **values)


def test_a_large_prompt_still_renders():
    big = "a" * (MAX_CHARACTERS - 10)
    assert len(filled("{{ x }}", x=big)) == len(big)


@pytest.mark.parametrize(
    ("text", "simple"),
    [
        ("{{ a.b[0]['k']|default('x')|trim }}", True),
        ("{% if a and not b == 'x' or c in ['p', 'q'] %}{% else %}{% endif %}", True),
        ("{% for a, b in xs %}{{ loop.index }}{% endfor %}", True),
        ("{{ xs[1:] }}", True),
        ("{{ f() }}", False),
        ("{{ [a, a] }}", False),
        ("{{ a * 3 }}", False),
        ("{{ a ~ a }}", False),
        ("{{ a|tojson(2) }}", False),
        ("{{ a|format(3) }}", False),
        ("{% set a = b %}", False),
        ("{% macro m() %}{% endmacro %}", False),
        ("{{ {'a': a} }}", False),
    ],
)
def test_only_simple_templates_render_in_this_process(text, simple):
    assert is_simple(scan_jinja(text)) is simple


def test_unsupported_helpers_and_partials_are_named():
    with pytest.raises(CostoptError, match='helper "shout" is not supported'):
        filled("{{shout x}}", "dotprompt", x=1)
    with pytest.raises(CostoptError, match='partial "footer" is not supported'):
        filled("{{> footer}}", "mustache")
    with pytest.raises(CostoptError, match="takes 1 plain value"):
        filled("{{#if age >= 18}}x{{/if}}", "dotprompt", age=1)


def test_roles_that_a_prompty_template_makes_are_refused_when_rendered():
    text = "system:\nHi\n{% for m in h %}\n{{m.role}}:\n{{m.content}}\n{% endfor %}\nuser:\nq\n"
    template = load_string(text, format="prompty")
    with pytest.raises(CostoptError, match="is made while rendering") as caught:
        render(template, {"h": []})
    assert caught.value.where is not None
    assert caught.value.where.line == 4


PIECES = st.sampled_from(
    ["{{a}}", "{{{b}}}", "{{&a}}", "{{! c }}", "\n", "x y", "x", "\r\n", "{{#xs}}{{.}}{{/xs}}",
     "{{#xs}}\n{{a}}\n{{/xs}}\n", "{{^no}}\n n\n{{/no}}", "{{#yes}}{{a}}{{/yes}}", "{{d.e}}"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=10).map("".join))
def test_mustache_renders_as_pystache_does(text):
    values = {"a": "A", "b": "<b>", "xs": ["p", "q"], "no": False, "yes": True, "d": {"e": "E"}}
    reference = pystache.Renderer(escape=lambda value: value, missing_tags="strict")
    expected = reference.render(text, values)
    assert render_stache(text, Syntax.MUSTACHE, values, 10_000) == expected
