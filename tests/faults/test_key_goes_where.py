"""Promise 14: the key, and the request, go to the address that was named and nowhere else."""

from pathlib import Path

import pytest
from fault_harness import Bench, Listener, row, variants
from payloads import CANARY

KEYED = 'price = { input = 1, output = 2 }\napi_key_env = "FAULT_KEY"'
OTHER = "sk-other-0000"
ELSEWHERE = (
    "OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_API_HOST", "OPENAI_PROXY", "OPENAI_ENDPOINT",
    "AZURE_OPENAI_ENDPOINT", "OPENROUTER_BASE_URL", "OLLAMA_BASE_URL", "LITELLM_API_BASE",
    "PYDANTIC_AI_GATEWAY_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy",
    "https_proxy", "all_proxy", "FTP_PROXY", "SOCKS_PROXY", "OTEL_EXPORTER_OTLP_ENDPOINT",
    "LOGFIRE_BASE_URL", "SENTRY_DSN", "COSTOPT_BASE_URL", "COSTOPT_TARGET_BASE_URL",
)  # fmt: skip
SECRETS = (
    "OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_ORGANIZATION", "OPENAI_PROJECT_ID",
    "OPENAI_PROJECT", "OPENAI_ADMIN_KEY", "OPENAI_WEBHOOK_SECRET", "ANTHROPIC_API_KEY",
)  # fmt: skip


@pytest.fixture
def keyed(bench: Bench) -> Bench:
    bench.env["FAULT_KEY"] = CANARY
    bench.target(KEYED)
    bench.prompt(2)
    bench.server.script(record=True)
    return bench


def check_heads(bench: Bench) -> None:
    """Every request has the named key, and nothing of any other."""
    ledger = bench.server.ledger()
    assert ledger
    for entry in ledger:
        assert f"authorization: bearer {CANARY}".lower() in entry["head"].lower()
        for word in (OTHER, "openai-organization", "openai-project", "cookie", "127.0.0.1:1/"):
            assert word not in entry["head"].lower(), entry["head"]


def test_no_variable_sends_it_elsewhere(keyed: Bench, listener: Listener) -> None:
    keyed.env |= dict.fromkeys(ELSEWHERE, listener.url) | dict.fromkeys(SECRETS, OTHER)
    keyed.env |= {"NO_PROXY": "", "no_proxy": "", "OPENAI_CUSTOM_HEADERS": f"X-Other: {OTHER}"}
    lines = "".join(f"{name}={listener.url}\n" for name in ELSEWHERE)
    (keyed.folder / ".env").write_text(lines + f"FAULT_KEY={OTHER}\n", encoding="utf-8")
    (keyed.folder / "cities" / ".env").write_text(lines, encoding="utf-8")
    home = keyed.folder / "home"
    home.mkdir()
    netrc = f"machine 127.0.0.1 login me password {OTHER}\ndefault login me password {OTHER}\n"
    (home / ".netrc").write_text(netrc, encoding="utf-8")
    keyed.env |= {"HOME": str(home), "NETRC": str(home / ".netrc")}
    # The installed command: what its libraries read when they are loaded counts too.
    assert keyed.run(real=True).status == 0
    assert (listener.connections, listener.received) == (0, b"")
    check_heads(keyed)


def test_a_prompt_does_not_send_it_elsewhere(keyed: Bench, listener: Listener) -> None:
    front = (
        f"base_url: {listener.url}\nmodel: x\napi_key_env: OPENAI_API_KEY\nproxy: {listener.url}"
    )
    text = "---\nmetric: contains\n{}---\nSay {{{{ question }}}}\n"
    rows = [row(n, metadata={"base_url": listener.url, "target": "x"}) for n in range(2)]
    for extra in (f"{front}\n", f"settings:\n  base_url: {listener.url}\n", ""):
        keyed.prompt(rows, text.format(extra))
        assert keyed.run().status in (0, 2)
    assert (listener.connections, listener.received) == (0, b"")
    check_heads(keyed)


def locations(listener: Listener) -> list[str]:
    here = f"127.0.0.1:{listener.port}"
    return [
        f"http://{here}/v1/chat/completions",
        f"//{here}/v1",
        f"http://localhost:{listener.port}/v1",
        f"http://me:pass@{here}/",
        f"http://[::ffff:127.0.0.1]:{listener.port}/",
        f"http://2130706433:{listener.port}/",
    ]


def test_no_redirect_is_followed(keyed: Bench, listener: Listener) -> None:
    statuses = (300, 301, 302, 303, 305, 307, 308)
    steps = [(status, place) for status in statuses for place in locations(listener)[:2]]
    steps += [(307, place) for place in locations(listener)[2:]]
    rules = [
        {
            "when": {"marker": f"number {number}?"},
            "do": {"kind": "redirect", "status": status, "location": place},
        }
        for number, (status, place) in enumerate(steps)
    ]
    keyed.server.script(*rules, record=True)
    keyed.prompt(len(steps) + 3)
    report = keyed.run("--strategy", "whitespace").report
    assert variants(report)["baseline"]["quality"]["failures"] == len(steps) == 18
    assert (listener.connections, listener.received) == (0, b"")
    check_heads(keyed)


def test_no_header_of_an_answer_is_followed(keyed: Bench, listener: Listener) -> None:
    headers = {
        "Location": listener.url,
        "Content-Location": listener.url,
        "Refresh": f"0; url={listener.url}",
        "Link": f"<{listener.url}>; rel=preload",
        "Alt-Svc": f'h2="127.0.0.1:{listener.port}"',
        "Set-Cookie": "a=b",
    }
    keyed.server.script(default={"kind": "ok", "headers": headers}, record=True)
    assert keyed.run().status == 0
    assert (listener.connections, listener.received) == (0, b"")
    check_heads(keyed)


def test_the_listener_would_have_seen_it(listener: Listener, bench: Bench) -> None:
    bench.target(url=f"{listener.url}/v1")
    bench.prompt(1)
    assert bench.run().status == 2
    assert listener.connections > 0
    assert b"POST /v1/chat/completions" in listener.received
    assert Path(bench.folder / "costopt.toml").exists()
