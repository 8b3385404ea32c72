"""Places in files, and edits that leave every other byte alone: in every format, any text."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from costopt.core.formats import Places, dump, load_file, reread
from costopt.core.formats._edit import quoted
from costopt.core.types import Message

TEXT = st.text(
    st.one_of(
        st.sampled_from(" \n\n-:#'\"\\|>&*!?,./éß😀日\u00a0"),
        st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]),
    ),
    min_size=1,
    max_size=60,
).filter(lambda text: text.strip() and "{" not in text and "}" not in text and "---" not in text)


def _block(text: str) -> str:
    return "".join(f"      {line}\n" if line else "\n" for line in text.split("\n"))


WRAPPERS = {
    "a.md": lambda t: f"---\nname: x   # kept\n---\n{t}",
    "b.txt": lambda t: f"begin {t}",
    "c.j2": lambda t: f"{{# kept #}}{t}",
    "d.yaml": lambda t: "# kept\nmessages:\n  - role:   system\n"
    f"    content: {quoted(t)}  # c\n"
    "  - {role: user, content: 'Q: it''s {{ q }}'}\n# end\n",
    "e.yaml": lambda t: "name: e\nmessages:\n  - role: system\n    content: |  # kept\n"
    f"      first\n{_block(t)}      last\n\n\n"
    "  - role: user\n    content: >-\n      folded\n      text {{ q }}\n",
    "f.json": lambda t: f'{{"messages":  [{{"role": "user",\n "content": {json.dumps(t)}}}]}}\n\n',
    "g.json": lambda t: f'{{"messages":  [{{"role": "user",\n "content": {quoted(t)}}} ] }}\n\n',
    "h.prompty": lambda t: f"---\nname: x   # kept\n---\nsystem:\nS {t}\n\n\nuser:\n{{{{q}}}}\n",
    "i.prompt": lambda t: f'# kept\n---\nname: x\n---\n{{{{role "system"}}}}\nS {t}\n'
    '{{role "user"}}{{q}}\n',
    "promptfooconfig.yaml": lambda t: f"prompts:\n  - {quoted(t)}\n"
    "  - 'Two {{a}}'  # kept\ntests: [{vars: {a: 1}}]\n",
}  # fmt: skip
QUICK = settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("places")


def _templates(folder: Path, name: str, text: str, crlf: bool = False):
    raw = WRAPPERS[name](text)
    path = folder / name
    path.write_bytes((raw.replace("\n", "\r\n") if crlf else raw).encode())
    return load_file(path)


@QUICK
@given(text=TEXT, name=st.sampled_from(sorted(WRAPPERS)), crlf=st.booleans())
def test_every_visible_character_has_its_place(folder: Path, text: str, name: str, crlf: bool):
    for template in _templates(folder, name, text, crlf):
        lines = template.source.raw.split("\n")
        places = Places(reread(template))
        for index, message in enumerate(template.messages):
            for at, character in enumerate(message.content):
                place = places.at(index, at)
                there = lines[place.line - 1][place.column - 1 :]
                escaped = json.dumps(character)[1:-1]
                if not character.isspace():
                    assert there.startswith((character, escaped)), (character, place)


@QUICK
@given(
    text=TEXT, new=TEXT, name=st.sampled_from(sorted(WRAPPERS)), which=st.integers(0, 1),
    crlf=st.booleans(),
)  # fmt: skip
def test_an_edit_changes_no_byte_outside_of_its_message(
    folder: Path, text: str, new: str, name: str, which: int, crlf: bool
) -> None:
    templates = _templates(folder, name, text, crlf)
    template = templates[which % len(templates)]
    index = which % len(template.messages)
    old = template.messages[index]
    if name.endswith(".prompty"):
        new = new.strip()
        assume(new and not new.rstrip().endswith(":"))
    messages = list(template.messages)
    messages[index] = Message(old.role, new if "{{" not in old.content else f"{new} {{{{ q }}}}")
    assume(messages[index] != old)
    parsed = reread(template)
    slot, raw = parsed.slots[index], template.source.raw
    wanted = replace(template, messages=tuple(messages))
    made = dump(wanted)
    before, after = raw[: slot.start], raw[slot.end :]
    assert made.startswith(before)
    assert made.endswith(after)
    assert len(made) >= len(before) + len(after)
    if crlf and (slot.kind != "raw" or "\n" not in new):
        assert "\n" not in made.replace("\r\n", "")
    path = folder / f"again-{name}" if not name.startswith("promptfoo") else folder / name
    path.write_bytes(made.encode())
    again = load_file(path)[which % len(templates)]
    assert again.messages == wanted.messages
    assert [t.messages for i, t in enumerate(load_file(path)) if i != which % len(templates)] == [
        t.messages for i, t in enumerate(templates) if i != which % len(templates)
    ]
