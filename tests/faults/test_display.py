"""Promise 16: nothing that a prompt, a row or an answer holds is obeyed where it is printed."""

import json
from typing import Any

import pytest
from fault_harness import Bench
from payloads import hostile, live

FORMATS = ("table", "json", "markdown", "html")
PLAIN = "---\nmetric: contains\n---\nAnswer in order to help.\n\n\n\nQuestion: {{ question }}\n"


def test_the_detector_sees_what_it_should() -> None:
    bad = ["\x1b[2J", "\x9b1m", "\u202e", "::error::x", "  ::error::x", "a\n::x", "b ##[error]"]
    assert all(live(text) for text in bad)
    assert live('a "quoted" line\n\tindented: fine — é') == []
    assert len(set(hostile())) == 200


def _rows(texts: list[str]) -> list[dict[str, Any]]:
    return [
        {"id": f"{text} {number}", "question": f"{text} [[{text}]]", "reference": text or "x"}
        for number, text in enumerate(texts)
    ]


def _outputs(bench: Bench, *more: object) -> dict[str, str]:
    found = {}
    for name in FORMATS:
        done = bench.run("--format", name, *more)
        assert done.status == 0, done.err
        found[name] = done.out
        found[f"{name}, standard error"] = done.err
    assert json.loads(found["json"])["schema"] == "costopt.report/1"
    return found


def check(outputs: dict[str, str]) -> None:
    assert {name: live(text)[:3] for name, text in outputs.items() if live(text)} == {}


def test_hostile_rows_and_answers(bench: Bench) -> None:
    bench.prompt(_rows(hostile()), PLAIN)
    check(_outputs(bench, "--strategy", "whitespace"))


def test_a_hostile_prompt(bench: Bench) -> None:
    said = "\n".join(text.replace("{", "(") for text in hostile() if "\x00" not in text)
    bench.prompt(4, PLAIN.replace("Answer in", f"{said}\nAnswer in"))
    check(_outputs(bench, "--strategy", "filler"))


def test_hostile_errors_of_a_server(bench: Bench) -> None:
    bench.prompt(4, PLAIN)
    said = " ".join(text for text in hostile(120) if "a" * 100 not in text)
    for text in (said, "\x1b[2J::error::x", "::error::x", "\x9b31m ##[error]x"):
        bench.server.script(default={"kind": "status", "status": 400, "message": text})
        done = bench.run()
        assert done.status == 2
        assert live(done.err) == []
        assert live(done.out) == []


@pytest.mark.parametrize("place", ["feature", "name"])
def test_hostile_front_matter(bench: Bench, place: str) -> None:
    words = json.dumps("".join(text for text in hostile(90) if "a" * 100 not in text))
    bench.prompt(2, f"---\n{place}: {words}\nmetric: contains\n---\nSay {{{{ question }}}}\n")
    outputs = {}
    for name in FORMATS:
        done = bench.run("--format", name)
        outputs |= {name: done.out, f"{name}, standard error": done.err}
        assert done.status in (0, 2)
    check(outputs)
