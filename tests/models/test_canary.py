"""A key never appears in what is raised, logged or printed, whatever goes wrong.

Each path fails with a key that servers echo in every way they can think of; then all text that
came out is searched for the key as it is and encoded. `leaks` searches any text, so that files
that are written on the way can be searched as well: see `Outcome.texts`.
"""

import asyncio
import base64
import json
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import provider_answers as shapes
import pytest
from fault_server import Fault, FaultServer, completion

from costopt.cli.main import main
from costopt.core.types import GenerationSettings, Message, Request
from costopt.models.compatible import CompatibleTarget
from costopt.models.hosted import HostedTarget
from costopt.models.providers import PROVIDERS

CANARY = "cnry/7Qz+\"Wd'4%xK=\\pL9tB2mN6vR8sH3jF5gY1"
"""Has what each encoding changes: a slash, a plus, quotes, a percent sign, a backslash."""


def forms(key: str) -> dict[str, str]:
    """Return the key in every form that it is searched for."""
    encoded = base64.b64encode(key.encode()).decode()
    # In base64 of "Bearer KEY" or "user:KEY" only the middle is that of the key.
    shifted = [base64.b64encode(b"x" * n + key.encode()).decode()[4:-4] for n in (1, 2)]
    return {
        "raw": key,
        "percent": quote(key, safe=""),
        "base64": encoded.rstrip("="),
        "base64, shifted by 1": shifted[0],
        "base64, shifted by 2": shifted[1],
        "json": json.dumps(key)[1:-1],
        "repr": repr(key)[1:-1],
        "prefix": key[:8],
    }


def leaks(text: str, key: str = CANARY) -> list[str]:
    """Return the forms of the key that stand in a text."""
    return [name for name, form in forms(key).items() if form in text]


@dataclass
class Outcome:
    """All that came out of one path; whoever writes files adds their contents to ``texts``."""

    texts: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, name: str, text: str) -> None:
        self.texts[name] = self.texts.get(name, "") + text

    def add_files(self, folder: Path) -> None:
        """Search every file below a folder, byte by byte."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.add(f"file {path.name}", path.read_bytes().decode("latin-1"))

    def check(self) -> None:
        found = {name: leaks(text) for name, text in self.texts.items()}
        assert {name: what for name, what in found.items() if what} == {}


@pytest.fixture
def outcome(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Outcome:
    """An outcome that has every log record of the path, at every level."""
    monkeypatch.setenv("CANARY_KEY", CANARY)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    return Outcome()


Make = Callable[[FaultServer], Any]


def request(*messages: Message) -> Request:
    return Request(messages=messages or (Message("user", "Hi"),), settings=GenerationSettings())


def compatible(server: FaultServer, **more: Any) -> CompatibleTarget:
    known: dict[str, Any] = {"base_url": server.url, "api_key_env": "CANARY_KEY"}
    return CompatibleTarget(name="t", model="m", **{**known, **more})


def hosted(provider: str, model: str, server: FaultServer) -> HostedTarget:
    key = {} if provider == "bedrock" else {"api_key_env": "CANARY_KEY"}
    url = server.url.removesuffix("/v1")
    return HostedTarget(name="t", provider=PROVIDERS[provider], model=model, base_url=url, **key)


TARGETS: dict[str, Make] = {
    "compatible": compatible,
    "anthropic": lambda server: hosted("anthropic", "claude-haiku-4-5", server),
    "google": lambda server: hosted("google", "gemini-2.5-flash", server),
    "mistral": lambda server: hosted("mistral", "mistral-small-latest", server),
    "groq": lambda server: hosted("groq", "openai/gpt-oss-20b", server),
    "bedrock": lambda server: hosted("bedrock", "amazon.nova-lite-v1:0", server),
}


def echo(key: str = CANARY) -> str:
    """Say the key in every form, as a server might that logs what it was sent."""
    return " ".join(forms(f"Bearer {key}").values()) + " " + " ".join(forms(key).values())


def _error(status: int, text: str, **headers: str) -> Fault:
    body = json.dumps({"error": {"message": text, "type": "x", "code": text}, "message": text})
    return Fault(status, body.encode(), headers)


FAULTS: dict[str, Fault] = {
    "400 that echoes": _error(400, echo()),
    "401 that echoes": _error(401, f"no such key: {echo()}"),
    "401 that quotes the beginning": _error(401, f"bad key {CANARY[:12]}…"),
    "401 in plain text": Fault(401, echo().encode()),
    "402 that echoes": _error(402, echo()),
    "403 in HTML": Fault(403, f"<html>{echo()}</html>".encode(), {"Content-Type": "text/html"}),
    "404 that echoes": _error(404, echo()),
    "413 that echoes": _error(413, echo()),
    "429 that echoes": _error(429, echo()),
    "500 that echoes": _error(500, echo()),
    "502 in HTML": Fault(502, f"<html>{echo()}</html>".encode(), {"Content-Type": "text/html"}),
    "503 that echoes": _error(503, echo()),
    "529 that echoes": _error(529, echo()),
    "redirect": Fault(307, b"", {"Location": f"http://127.0.0.1:9/?{quote(CANARY, safe='')}"}),
    "200 that is no JSON": Fault(200, echo().encode()),
    "200 that is no answer": Fault(200, json.dumps({"said": echo()}).encode()),
    "200 that is a list": Fault(200, json.dumps([echo()]).encode()),
    "200 with an error": Fault(200, json.dumps({"error": {"message": echo()}}).encode()),
    "200 that is cut": Fault(200, completion(echo()), cut=60),
    "200 with a bad usage": Fault(200, completion(usage={"prompt_tokens": echo()})),
    "200 with a bad choice": Fault(200, completion(choices=[{"message": echo()}])),
    "a header that is none": Fault(200, completion(), {"Content-Length": "x"}),
    "compressed unasked": Fault(200, completion(), {"Content-Encoding": "gzip"}),
}


def run(target: Any, outcome: Outcome) -> None:
    """Ask, and keep all that the failure says, its causes and frames with it."""

    async def once() -> Any:
        try:
            return await target.answer(request())
        finally:
            await target.close()

    try:
        asyncio.run(once())
    except Exception as error:
        outcome.add("message", f"{error} {error!r} {error.args!r}")
        outcome.add("traceback", traceback.format_exc())
    else:
        pytest.fail("the path did not fail")


def _paths() -> list[Any]:
    """Every fault at our own client, some at each SDK; the others are slow."""
    some = ("401 that echoes", "500 that echoes", "redirect", "200 that is no answer")
    return [
        pytest.param(
            name,
            fault,
            id=f"{name}: {what}",
            marks=() if name == "compatible" or what in some else pytest.mark.slow,
        )
        for name in TARGETS
        for what, fault in FAULTS.items()
    ]


@pytest.mark.parametrize(("name", "fault"), _paths())
def test_a_failure_of_the_server(
    name: str,
    fault: Fault,
    faults: FaultServer,
    outcome: Outcome,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    faults.script = [fault]
    run(TARGETS[name](faults), outcome)
    if name == "compatible":
        # It sent the key, so that there was something to keep.
        assert CANARY in faults.seen[0].head
    _with_streams(outcome, capfd)
    _with_logs(outcome, caplog)
    outcome.check()


def test_no_server(outcome: Outcome, caplog: pytest.LogCaptureFixture, faults: FaultServer) -> None:
    caplog.set_level(logging.DEBUG)
    run(compatible(faults, base_url="http://127.0.0.1:9/v1"), outcome)
    _with_logs(outcome, caplog)
    outcome.check()


def test_a_server_that_hangs(
    outcome: Outcome, caplog: pytest.LogCaptureFixture, faults: FaultServer
) -> None:
    caplog.set_level(logging.DEBUG)
    faults.script = [Fault(hang=True)]
    run(compatible(faults, timeout_s=0.3), outcome)
    _with_logs(outcome, caplog)
    outcome.check()


def test_what_a_target_says_of_itself(outcome: Outcome, faults: FaultServer) -> None:
    for name, make in TARGETS.items():
        target = make(faults)
        outcome.add(name, f"{target!r} {dict(target.identity)!r} {vars(target)!r}")
    outcome.check()


COMMANDS = [
    ["models", "list"],
    ["models", "list", "--format", "json"],
    ["models", "test", "canary"],
    ["models", "test", "canary", "--debug"],
    ["models", "test", "canary", "--format", "json", "--debug"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("status", [401, 429, 500, 200])
def test_what_the_program_prints(
    command: list[str],
    status: int,
    faults: FaultServer,
    outcome: Outcome,
    in_folder: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (in_folder / "costopt.toml").write_text(
        f'[targets.canary]\nmodel = "m"\nbase_url = "{faults.url}"\napi_key_env = "CANARY_KEY"\n'
    )
    faults.script = [_error(status, echo())]
    assert main(command) in (0, 2)
    _with_streams(outcome, capfd)
    outcome.add_files(in_folder)
    outcome.check()


@pytest.mark.parametrize("value", [f"{CANARY} two", f"{CANARY}\n{CANARY}", f"\u00e9{CANARY}"])
def test_a_variable_that_holds_no_key(
    value: str, faults: FaultServer, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY_KEY", value)
    with pytest.raises(Exception, match="CANARY_KEY") as caught:
        compatible(faults)
    outcome.add("message", "".join(traceback.format_exception(caught.value)))
    outcome.check()


def test_an_answer_is_not_taken_for_a_key(faults: FaultServer, outcome: Outcome) -> None:
    """What the model says is kept whole: the search above is not fooled by a wiped answer."""
    faults.script = [Fault(body=shapes.chat(shapes.OPENAI, text="cnry is no key"))]
    found = asyncio.run(compatible(faults).answer(request()))
    assert found.text == "cnry is no key"


def test_the_search_finds_every_form() -> None:
    for name, form in forms(CANARY).items():
        assert name in leaks(f"… {form} …")
    assert leaks("nothing of it") == []


def _with_streams(outcome: Outcome, capfd: pytest.CaptureFixture[str]) -> None:
    printed = capfd.readouterr()
    outcome.add("standard output", printed.out)
    outcome.add("standard error", printed.err)


def _with_logs(outcome: Outcome, caplog: pytest.LogCaptureFixture) -> None:
    for record in caplog.records:
        outcome.add(f"log of {record.name}", f"{record.getMessage()} {record.args!r}")
        if record.exc_info:
            outcome.add(
                f"log of {record.name}", "".join(traceback.format_exception(*record.exc_info))
            )
