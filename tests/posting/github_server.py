"""A server that speaks the part of GitHub's interface that comments need, with faults on demand."""

import json
import re
import threading
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REPOSITORY = "acme/prompts"
HEAD = "a1" * 20
"""The commit of pull request 7."""

BOT = "github-actions[bot]"
TOKENS = {"ghs_bot0token0with0some0length": BOT, "ghp_anna0token0with0some0length": "anna"}
BOT_TOKEN, ANNA_TOKEN = TOKENS
READ_ONLY = "ghs_fork0token0that0only0reads"


@dataclass(frozen=True)
class Fault:
    """What one request is answered with instead; ``after`` lets it be carried out before."""

    method: str
    path: str
    status: int = 500
    body: bytes = b'{"message": "broken"}'
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    cut: bool = False
    after: bool = False


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


class GitHub:
    """Listens on loopback; its state is for tests to fill and to read."""

    def __init__(self, page_size: int = 100) -> None:
        self.page_size = page_size
        self.comments: dict[int, dict[str, Any]] = {}
        self.hidden: set[str] = set()
        self.pulls: dict[int, dict[str, Any]] = {}
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self.lock = threading.Lock()
        handler = type("Bound", (_Handler,), {"github": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add_pull(self, number: int, sha: str, repository: str = REPOSITORY, branch: str = "topic"):
        repo = {"full_name": repository} if repository else None
        head = {"sha": sha, "ref": branch, "repo": repo}
        self.pulls[number] = {"number": number, "state": "open", "head": head}

    def add_comment(self, pull: int, body: str, author: str | None = BOT) -> int:
        # Past 32 bits, as they are by now.
        number = 3_500_000_000 + len(self.comments)
        user = {"login": author} if author else None
        self.comments[number] = {
            "id": number, "node_id": f"IC_{number}", "body": body, "user": user, "pull": pull,
        }  # fmt: skip
        return number

    def bodies(self, pull: int = 7) -> list[str]:
        return [one["body"] for one in self.comments.values() if one["pull"] == pull]

    def done(self, *methods: str) -> list[str]:
        """Return what was asked that changes something, as ``METHOD /path``."""
        kept = methods or ("POST", "PATCH", "DELETE")
        return [f"{one.method} {one.path}" for one in self.asked if one.method in kept]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536  # a response in one packet, else each waits for an acknowledgement
    github: GitHub

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        github = self.github
        with github.lock:
            asked = Asked(self.command, self.path, dict(self.headers.items()), body)
            github.asked.append(asked)
            fault = next((f for f in github.faults if _hits(f, asked)), None)
            if fault is None or fault.after:
                status, headers, content = answer(github, asked)
            if fault is not None:
                github.faults.remove(fault)
                status, headers, content = fault.status, dict(fault.headers), fault.body
        if fault is not None and fault.cut:
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


def _hits(fault: Fault, asked: Asked) -> bool:
    return fault.method == asked.method and re.search(fault.path, asked.path) is not None


Answered = tuple[int, dict[str, str], bytes]


def _say(status: int, data: object, headers: dict[str, str] | None = None) -> Answered:
    return status, headers or {}, b"" if data is None else json.dumps(data).encode()


def answer(github: GitHub, asked: Asked) -> Answered:
    token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
    if token not in (*TOKENS, READ_ONLY):
        # The real one does not repeat the token: this one does, as proxies in between may.
        return _say(401, {"message": f"Bad credentials: {token}"})
    login = TOKENS.get(token, BOT)
    url = urllib.parse.urlsplit(asked.path)
    if url.path == "/graphql":
        return _graphql(github, asked.body, login)
    if token == READ_ONLY and asked.method != "GET":
        return _say(403, {"message": "Resource not accessible by integration"})
    path = url.path.removeprefix(f"/repos/{REPOSITORY}")
    if path == url.path:
        return _say(404, {"message": "Not Found"})
    query = dict(urllib.parse.parse_qsl(url.query))
    if path == "/pulls":
        return _paged(github, url.path, query, _pulls(github, query))
    if found := re.fullmatch(r"/pulls/(\d+)", path):
        pull = github.pulls.get(int(found[1]))
        return _say(200, pull) if pull else _say(404, {"message": "Not Found"})
    if found := re.fullmatch(r"/issues/(\d+)/comments", path):
        return _of_issue(github, asked, int(found[1]), query, login, url.path)
    if found := re.fullmatch(r"/issues/comments/(\d+)", path):
        return _one(github, asked, int(found[1]))
    return _say(404, {"message": "Not Found"})


def _pulls(github: GitHub, query: dict[str, str]) -> list[dict[str, Any]]:
    owner, _, branch = query.get("head", "").partition(":")

    def matches(pull: dict[str, Any]) -> bool:
        repo = pull["head"]["repo"]
        return (
            pull["state"] == query.get("state", "open")
            and (repo or {"full_name": "?/"})["full_name"].partition("/")[0] == owner
            and pull["head"]["ref"] == branch
        )

    return [pull for pull in github.pulls.values() if matches(pull)]


def _paged(github: GitHub, path: str, query: dict[str, str], items: list[Any]) -> Answered:
    size = min(int(query.get("per_page", 30)), github.page_size)
    page = int(query.get("page", 1))
    headers = {}
    if page * size < len(items):
        headers["Link"] = f'<https://elsewhere.invalid{path}?page={page + 1}>; rel="next"'
    return _say(200, items[(page - 1) * size : page * size], headers)


def _of_issue(
    github: GitHub, asked: Asked, number: int, query: dict[str, str], login: str, path: str
) -> Answered:
    if number not in github.pulls:
        return _say(404, {"message": "Not Found"})
    if asked.method == "GET":
        listed = [one for one in github.comments.values() if one["pull"] == number]
        return _paged(github, path, query, listed)
    if len(asked.body["body"]) > 65_536:
        errors = [{"message": "Body is too long (maximum is 65536 characters)"}]
        return _say(422, {"message": "Validation Failed", "errors": errors})
    return _say(201, github.comments[github.add_comment(number, asked.body["body"], login)])


def _one(github: GitHub, asked: Asked, number: int) -> Answered:
    if number not in github.comments:
        return _say(404, {"message": "Not Found"})
    if asked.method == "DELETE":
        del github.comments[number]
        return _say(204, None)
    github.comments[number]["body"] = asked.body["body"]
    return _say(200, github.comments[number])


def _graphql(github: GitHub, body: Any, login: str) -> Answered:
    variables = body["variables"]
    if "minimizeComment" in body["query"]:
        github.hidden.add(variables["id"])
        return _say(200, {"data": {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}})
    nodes = [{"id": one, "isMinimized": one in github.hidden} for one in variables["ids"]]
    return _say(200, {"data": {"viewer": {"login": login}, "nodes": nodes}})
