"""Promise 15: a key stands in nothing that is written, whatever goes wrong."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_harness import Bench, Done, Listener
from payloads import CANARY, encodings, leaks

STATUSES = (400, 401, 402, 403, 404, 409, 422, 429, 500)
KEYED = 'price = { input = 1, output = 2 }\napi_key_env = "FAULT_KEY"\n'


def echoes() -> list[dict[str, Any]]:
    """Replies that hold the key, written in each way."""
    found: list[dict[str, Any]] = [
        {"kind": "status", "status": status, "message": f"bad key {text}, see {name}"}
        for number, status in enumerate(STATUSES)
        for name, text in list(encodings(CANARY).items())[number % 2 :: 2]
    ]
    found += [{"kind": "echo_key", "status": status} for status in (400, 401, 403, 500)]
    found += [{"kind": "no_answer", "body": body} for body in ("html", "empty", "json_array")]
    found += [
        {"kind": kind} for kind in ("cut", "close_after_body", "gzip_bomb", "endless", "wrong_type")
    ]
    found += [
        {"kind": "redirect", "location": f"http://127.0.0.1:1/?key={text}"}
        for text in encodings(CANARY).values()
        if "\\" not in text
    ]
    return found


@pytest.fixture
def keyed(bench: Bench) -> Bench:
    bench.env |= {"FAULT_KEY": CANARY, "XDG_CACHE_HOME": str(bench.folder / "cache")}
    bench.target(KEYED)
    bench.prompt(1)
    return bench


def check(bench: Bench, *runs: Done) -> None:
    """Nothing that was written has the key: the store, the reports, the streams, the caches."""
    written = dict(_written(bench.folder))
    written |= {f"stream {n}": done.raw_out + done.raw_err for n, done in enumerate(runs)}
    found = {name: leaks(CANARY, data) for name, data in written.items()}
    assert {name: how for name, how in found.items() if how} == {}


def _written(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


def test_the_detector_sees_each_encoding() -> None:
    for name, text in encodings(CANARY).items():
        assert leaks(CANARY, b"before " + text.encode() + b" after"), name
    header = f"Bearer {CANARY}".encode()
    import base64

    assert leaks(CANARY, base64.b64encode(header))
    assert leaks(CANARY, b"no key at all") == []


def fail_with(bench: Bench, replies: list[dict[str, Any]]) -> None:
    """Ask once with each reply, and show the error with its traceback."""
    for reply in replies:
        bench.server.script(default=reply)
        done = bench.run("test", "fault", "--debug", command="models")
        assert done.status in (0, 2), done.err
        check(bench, done)


def test_a_key_that_comes_back_in_an_error(keyed: Bench) -> None:
    fail_with(keyed, echoes()[::9])


@pytest.mark.slow
def test_a_key_that_comes_back_in_any_error(keyed: Bench) -> None:
    assert len(echoes()) >= 40
    fail_with(keyed, echoes())


@pytest.mark.slow
def test_a_run_of_rows_that_fail_in_every_way(keyed: Bench) -> None:
    replies = echoes()
    keyed.prompt(len(replies) + 4)
    # What is asked for again is answered the second time, which saves the waits.
    rules = [
        {"when": {"marker": f"number {number}?", "attempts": [1]}, "do": reply}
        for number, reply in enumerate(replies)
    ]
    keyed.server.script(*rules)
    args = ("--debug", "--strategy", "whitespace", "--concurrency", 32)
    first = keyed.run(*args, "--output", "report.json")
    assert first.status == 0, first.err
    second = keyed.run(*args, "--format", "markdown", "--max-requests", 0)
    third = keyed.run(*args, "--format", "table", "--max-requests", 0)
    check(keyed, first, second, third)


@pytest.mark.parametrize("kind", ["echo_key", "ok"])
def test_a_run_that_ends_at_once(keyed: Bench, listener: Listener, kind: str) -> None:
    keyed.server.script(default={"kind": kind})
    runs = [keyed.run("--debug")]
    if kind == "ok":
        answer = {"kind": "ok", "text": "an answer", "headers": {"X-Key": "x"}}
        keyed.server.script(default=answer)
        runs.append(keyed.run("--debug", "--max-cost", "0.0000001"))
        keyed.target(KEYED, url="http://127.0.0.1:9/v1")
        runs.append(keyed.run("test", "fault", "--debug", command="models"))
        keyed.target(KEYED, url=f"{listener.url}/v1")
        runs.append(keyed.run("test", "fault", "--debug", command="models"))
        keyed.target(KEYED + "price = 3")  # Broken: the same key twice.
        runs.append(keyed.run("--debug"))
        keyed.env["FAULT_KEY"] = f"{CANARY} \u00e9"  # What no key is.
        runs.append(keyed.run("--debug"))
    check(keyed, *runs)


def test_a_bug_that_has_the_key_in_its_message(keyed: Bench) -> None:
    # A folder where the store's file should be, named as the key: the error quotes the path.
    place = keyed.folder / "run" / "answers.sqlite3"
    place.mkdir(parents=True)
    done = keyed.run("--debug")
    assert done.status == 2
    check(keyed, done)


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_only_the_user_may_read_what_is_kept(keyed: Bench) -> None:
    assert keyed.run().status == 0
    assert keyed.run_dir.stat().st_mode & 0o077 == 0
    for path in keyed.run_dir.rglob("answers*"):
        assert path.stat().st_mode & 0o077 == 0, path.name
