from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costopt.core.errors import CostoptError
from costopt.core.formats import NotAPromptError, dump, format_of, load_file, load_string, read_file
from costopt.core.formats._common import name_of
from costopt.core.types import Message, Syntax

BOM = "\ufeff"
FILES = {
    "a.md": "---\nname: triage\nfeature: x\nsettings: {max_output_tokens: 9}\n---\n# Hi {who}\n",
    "bom.md": f"{BOM}---\nname: x\n---\nHi",
    "crlf.md": "---\r\nname: x\r\n---\r\nHi {{ a }}\r\nBye\r\n",
    "rule.md": "---\n\nJust a rule\n\n---\nand text",
    "plain.txt": "no newline at the end",
    "spaces.txt": "  \n\ntext  \n\n\n",
    "s.mustache": "{{#xs}}{{.}}{{/xs}}",
    "t.md.j2": "{# c #}{% if a %}x{% endif %}\n",
    "chat.yaml": "# c\nname: c\nmessages:\n  - role: system\n    content: |\n      Be brief.\n\n"
    "      Two.\n  - {role: user, content: 'Q: {{ q }}'}\n",
    "list.yml": '- role: user\n  content: "a\\tb"\n- role: assistant\n  content: >-\n    folded\n'
    "    text\n",
    "chat.json": '{"messages": [\n {"role": "system", "content": "S\\u00e9 \\"x\\""},\n'
    ' {"content": [{"type": "text", "text": "{{ q }}"}], "role": "user"}\n]}\n',
    "v1.prompty": "---\nmodel:\n  api: chat\n  parameters:\n    max_tokens: 30\n---\nsystem:\nS\n\n"
    "# user:\n{{q}}\n",
    "v2.prompty": "---\nmodel:\n  id: m\n  options:\n    temperature: 0.5\ninputs:\n  - name: q\n"
    "    kind: string\n    default: d\n---\nsystem:\nS\n\nuser[name=\"A\"]:\n{{q}}",
    "d.prompt": '# Licence\n\n---\nconfig:\n  maxOutputTokens: 7\ninput:\n  default: {a: 1}\n---\n'
    '{{role "system"}}\nS {{a}}\n{{role "user"}}{{#if b}}x{{/if}}\n',
    "promptfooconfig.yaml": "prompts:\n  - 'One {{a}}'\n  - |\n    Two {{a}}\nproviders: [x]\n",
}  # fmt: skip


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize("name", FILES)
def test_writing_back_unchanged_is_byte_identical(name, write):
    path = write(name, FILES[name])
    for template in load_file(path):
        assert dump(template).encode() == path.read_bytes()


def edited(template, change):
    messages = tuple(replace(m, content=change(m.content)) for m in template.messages)
    return replace(template, messages=messages)


@pytest.mark.parametrize("name", FILES)
def test_a_changed_message_is_all_that_changes(name, write, tmp_path):
    for index, template in enumerate(load_file(write(name, FILES[name]))):
        wanted = edited(template, lambda text: text + "s" if text.endswith("e") else "E! " + text)
        text = dump(wanted)
        again = load_file(write(f"again/{name}", text))[index]
        assert again.messages == wanted.messages
        assert again.settings == template.settings
        if wanted.messages == template.messages:
            assert text == FILES[name]


TEXTS = st.text(
    st.one_of(
        st.sampled_from(" \n\t:#-'\"\\|>&*!%@`[],?éß😀\u2028\x85\u00a0"),
        st.characters(codec="utf-8"),
    ),
    min_size=1,
).filter(lambda text: text.strip() and "\0" not in text and "{" not in text)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=TEXTS, name=st.sampled_from(["chat.yaml", "list.yml", "chat.json"]))
def test_any_text_can_be_written_into_chat_files(text, name):
    kind = "chat-json" if name.endswith("json") else "chat-yaml"
    template = load_string(FILES[name], format=kind, shown=name)
    wanted = edited(template, lambda _: text)
    again = load_string(dump(wanted), format=kind, shown=name)
    assert again.messages == wanted.messages


@pytest.mark.parametrize(
    "name", [n for n in FILES if n not in ("list.yml", "promptfooconfig.yaml")]
)
def test_settings_are_written_back(name, write):
    template = load_file(write(name, FILES[name]))[0]
    wanted = replace(
        template, settings=replace(template.settings, max_output_tokens=77, stop=("END", "x:"))
    )
    again = load_file(write(f"again/{name}", dump(wanted)))[0]
    assert again.settings == wanted.settings
    assert again.messages == template.messages


def test_settings_without_a_place_are_refused(write):
    for name in ("list.yml", "promptfooconfig.yaml"):
        template = load_file(write(name, FILES[name]))[0]
        wanted = replace(template, settings=replace(template.settings, max_output_tokens=77))
        with pytest.raises(CostoptError, match="no place for the setting"):
            dump(wanted)


def test_other_structure_cannot_be_written_back(write):
    template = load_file(write("chat.yaml", FILES["chat.yaml"]))[0]
    with pytest.raises(CostoptError, match="number of messages"):
        dump(replace(template, messages=template.messages[:1]))
    with pytest.raises(CostoptError, match="role changed"):
        dump(replace(template, messages=(Message("user", "x"), template.messages[1])))


def test_front_matter_is_read(write):
    path = write(
        "support/prompt.md",
        "---\nfeature: f\ntargets: [embedded, 'openai:gpt']\nmetric: accuracy\nmargin: 0.02\n"
        "calls_per_month: 1000\neval_set: rows.jsonl\nplaceholders: fstring\ndefaults: {b: 2}\n"
        "description: other tools' keys are left alone\nsettings:\n  max_output_tokens: 12\n"
        "  temperature: 0.5\n  stop: END\n  seed: 3\n  effort: low\n---\nHi {a} {b} {{c}}",
    )
    (template,) = load_file(path, shown="p/support/prompt.md")
    assert (template.name, template.feature, template.metric) == ("support", "f", "accuracy")
    assert (template.margin, template.calls_per_month) == (0.02, 1000)
    assert template.targets == ("embedded", "openai:gpt")
    assert template.eval_set == "rows.jsonl"
    assert template.settings.stop == ("END",)
    assert (template.settings.seed, template.settings.effort) == (3, "low")
    assert (template.syntax, template.variables) == (Syntax.FSTRING, ("a", "b"))
    assert template.defaults == {"b": 2}
    assert (template.source.path, template.source.line) == ("p/support/prompt.md", 18)


def test_formats_are_read_as_they_mean_it(write):
    loaded = {name: load_file(write(name, text)) for name, text in FILES.items()}
    v1, v2, dot = (loaded[name][0] for name in ("v1.prompty", "v2.prompty", "d.prompt"))
    assert v1.messages == (Message("system", "S"), Message("user", "{{q}}"))
    assert (v1.settings.max_output_tokens, v1.chat) == (30, True)
    assert (v2.settings.temperature, v2.defaults) == (0.5, {"q": "d"})
    assert [m.role for m in dot.messages] == ["system", "user"]
    assert (dot.settings.max_output_tokens, dot.variables) == (7, ("a", "b"))
    chat = loaded["chat.yaml"][0]
    assert chat.messages[0].content == "Be brief.\n\nTwo.\n"
    assert chat.source.line == 6
    assert loaded["list.yml"][0].messages[1].content == "folded text"
    assert loaded["chat.json"][0].messages[0].content == 'Sé "x"'
    assert [t.text for t in loaded["promptfooconfig.yaml"]] == ["One {{a}}", "Two {{a}}\n"]
    assert loaded["rule.md"][0].text == FILES["rule.md"]
    assert loaded["s.mustache"][0].syntax is Syntax.MUSTACHE


BROKEN = [
    ("a.md", "---\nname: [\n---\nx", 3, "broken YAML"),
    ("a.md", "---\nname: x\nname: y\n---\nx", 3, "stands here twice"),
    ("a.md", "---\ncalls_per_mont: 3\n---\nx", 2, 'unknown key "calls_per_mont"'),
    ("a.md", "---\nsettings:\n  max_tokens: 3\n---\nx", 3, 'unknown setting "max_tokens"'),
    ("a.md", "---\nsettings:\n  temperature: 3\n---\nx", 3, "temperature must be"),
    ("a.md", "---\ncalls_per_month: many\n---\nx", 2, "calls_per_month must be"),
    ("a.md", "---\nplaceholders: jinga\n---\nx", 2, "unknown kind 'jinga'"),
    ("a.md", "---\nplaceholders: fstring\n---\nx\n  {a.b}", 5, "not an f-string placeholder"),
    ("a.md", "Hi\n\n{{ name", 3, "unterminated {{"),
    ("a.j2", "---\nname: x\n---\n{% if %}", 4, "broken Jinja"),
    ("a.md", "", 1, "empty"),
    ("a.md", b"Hi\n\0", 2, "NUL byte"),
    ("a.md", b"Hi\n\xff", 2, "not UTF-8"),
    ("a.yaml", "messages:\n  - role: boss\n    content: x", 2, "unknown role 'boss'"),
    ("a.yaml", "messages:\n  - role: user\n    content: |\n      a\n      {{ b", 5, "unterminated"),
    ("a.yaml", "messages: &m\n  - *m\n", 1, "alias refers to itself"),
    ("a.json", '[{"role": "user",\n "content": [{"type": "image_url"}]}]', 2, "'image_url'"),
    ("a.json", '[{"role": "user",\n "content": "x",}]', 2, "broken JSON"),
    ("a.json", '[{"role": "assistant", "content": null, "tool_calls": []}]', 1, "calls tools"),
    ("a.prompty", "---\nname: x\nsystem:\n", 1, "not closed"),
    ("a.prompty", "{% if a %}\nuser:\nx\n{% endif %}", 2, "begins inside a block"),
    ("a.prompty", "---\ntemplate: liquid\n---\nx", 2, "'liquid' is not supported"),
    ("a.prompty", "---\ninputs:\n- name: p\n  kind: image\n---\n{{p}}", 3, "of kind image"),
    ("a.prompt", "x\n{{> footer}}", 2, 'partial "footer"'),
    ("a.prompt", "x\n{{media url=u}}", 2, "only text"),
    ("a.prompt", '{{#role "system"}}x{{/role}}', 1, "as a block"),
    ("a.prompt", '{{#if a}}\n{{role "user"}}{{/if}}', 2, "inside a block"),
    ("a.prompt", "x {{#if a}}y", 1, "not closed"),
]


@pytest.mark.parametrize(("name", "text", "line", "what"), BROKEN)
def test_what_is_not_understood_is_an_error_with_its_line(name, text, line, what, write):
    with pytest.raises(CostoptError) as caught:
        load_file(write(name, text), shown="dir/" + name)
    assert what in caught.value.what
    assert caught.value.where is not None
    assert (caught.value.where.path, caught.value.where.line) == ("dir/" + name, line)


def test_near_misses_of_keys_name_the_nearest(write):
    with pytest.raises(CostoptError) as caught:
        load_file(write("a.md", "---\nfeatur: x\n---\nHi"))
    assert caught.value.hint == 'did you mean "feature"?'


def test_yaml_bombs_are_refused(write):
    rows = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    rows += [
        f"{b}: &{b} [{','.join(['*' + a] * 10)}]" for a, b in zip("abcde", "bcdef", strict=True)
    ]
    with pytest.raises(CostoptError, match="expands to more than"):
        load_file(write("a.md", "---\n" + "\n".join(rows) + "\n---\nHi"))
    with pytest.raises(CostoptError, match="nested deeper"):
        load_file(write("b.md", "---\na: " + "[" * 50_000 + "\n---\nHi"))
    with pytest.raises(CostoptError, match="nested deeper"):
        load_file(write("c.json", "[" * 50_000))
    with pytest.raises(CostoptError, match="tag"):
        load_file(write("d.md", "---\na: !!python/object/apply:os.system ['ls']\n---\nHi"))


def test_yaml_scalars_follow_version_1_2(write):
    text = (
        "---\ndefaults: {a: yes, b: 012, c: '12', d: 12:30, e: 1e2, f: null, g: 2020-01-01}\n---\nx"
    )
    (template,) = load_file(write("a.md", text))
    values = {
        "a": "yes",
        "b": 12,
        "c": "12",
        "d": "12:30",
        "e": 100.0,
        "f": None,
        "g": "2020-01-01",
    }
    assert template.defaults == values


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "bomb.j2"
    with path.open("wb") as stream:
        stream.truncate(300_000_000)
    with pytest.raises(CostoptError, match=r"300\.0 MB"):
        load_file(path)


def test_files_without_messages_are_no_prompts(write):
    for name, text in (
        ("a.yaml", "a: 1"),
        ("b.json", "[1, 2]"),
        ("c.yml", ""),
        ("d.json", '{"x": 1}'),
    ):
        with pytest.raises(NotAPromptError):
            load_file(write(name, text))


def test_unknown_endings_and_missing_files(tmp_path, write):
    with pytest.raises(CostoptError, match="not a known prompt format"):
        load_file(write("a.docx", "x"))
    with pytest.raises(CostoptError, match="no such file"):
        load_file(tmp_path / "none.md")
    (tmp_path / "dir.md").mkdir()
    with pytest.raises(CostoptError, match="not a regular file"):
        load_file(tmp_path / "dir.md")


@pytest.mark.parametrize(
    ("path", "name", "kind"),
    [
        ("a/triage/prompt.md.j2", "triage", "jinja"),
        ("a/triage.PROMPTY", "triage.PROMPTY", "prompty"),
        ("x/promptfooconfig.yml", "promptfooconfig", "promptfoo"),
        ("a/README", "README", None),
    ],
)
def test_names_and_formats(path, name, kind):
    assert name_of(Path(path)) == name
    assert format_of(Path(path)) == kind


def test_notes_come_with_a_reading(write):
    path = write("promptfooconfig.yaml", "prompts: [a, 'file://p.py:f']\ntests: [{vars: {x: 1}}]\n")
    reading = read_file(path, shown="c.yaml")
    assert len(reading.parsed) == 1
    assert [(n.path, n.line) for n in reading.notes] == [("c.yaml", 1)]
    assert "never run" in reading.notes[0].reason


def test_names_inside_mustache_sections_may_be_left_out(write):
    (template,) = load_file(write("a.mustache", "{{q}}{{#flag}} {{note}}{{/flag}}"))
    assert template.variables == ("q", "flag", "note")
    assert template.defaults == {"note": None}
