"""Calls to GitHub's interface: one host, bounded responses, and the token in no text."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...core.errors import CostoptError
from ...core.secrets import remember, scrub
from ...models.pacing import LONGEST_WAIT_S
from ...models.retries import backoff_s
from ..safe import clean
from .address import Address
from .answers import Answer, RefusedError, limited_s, refused

if TYPE_CHECKING:
    import httpx2

_TIMEOUT_S = 30.0
_LARGEST = 64 * 1024 * 1024
"""Bytes: a hundred comments of 65,536 characters, of up to six bytes each as JSON, fit in."""

_TRIES = 4
_PAGES = 100
_REDIRECTS = (301, 302, 303, 307, 308)
_KEEP_METHOD = (307, 308)
_MOST_REDIRECTS = 3
_SENT = {
    "Accept": "application/vnd.github+json",
    "Accept-Encoding": "identity",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": "costopt",
}


class Api:
    """The interface of one host, for one repository.

    Args:
        at: The host and the repository.
        token: Sent to that host and nowhere else.
        sleep: How to wait for seconds.

    Raises:
        CostoptError: the token cannot be sent in a header.
    """

    def __init__(
        self, at: Address, token: str, *, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        import httpx2

        remember(token)
        if not token.isascii() or not token.isprintable() or " " in token:
            hint = "is it a path or a JSON document instead of a token?"
            raise CostoptError("the token holds characters that no token has", hint=hint)
        self.at = at
        self._sleep = sleep
        headers = {**_SENT, "Authorization": f"Bearer {token}"}
        self._client = httpx2.Client(headers=headers, timeout=_TIMEOUT_S, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        body: Mapping[str, object] | None = None,
        twice: bool = True,
    ) -> Answer:
        """Make one call below the repository, again where that may help.

        Args:
            method: The method.
            path: What follows the repository's address, such as ``/pulls/7``.
            doing: What it is for, in words that begin an error: "listing the comments".
            body: Sent as JSON.
            twice: Whether doing it twice does no harm.

        Raises:
            RefusedError: it failed.
        """
        url = f"{self.at.api}/repos/{self.at.repository}{path}"
        return self._persist(method, url, doing, body, twice)

    def pages(self, path: str, *, doing: str) -> Iterator[Any]:
        """Yield the items of a list, from all of its pages.

        Page numbers are our own, so that no address that a response names is asked.

        Raises:
            RefusedError: a page failed.
            CostoptError: no list, or one without an end.
        """
        joint = "&" if "?" in path else "?"
        for page in range(1, _PAGES + 1):
            answer = self.call("GET", f"{path}{joint}per_page=100&page={page}", doing=doing)
            items = answer.data()
            if not isinstance(items, list):
                raise CostoptError(f"{doing}: the host answered with something that is no list")
            yield from items
            if not items or 'rel="next"' not in answer.headers.get("link", ""):
                return
        raise CostoptError(f"{doing}: the list has more than {_PAGES} pages")

    def graphql(self, query: str, variables: Mapping[str, object], *, doing: str) -> Any:  # noqa: ANN401
        """Return the data that a GraphQL query or mutation answers with; it may be sent twice.

        What is not there any more is ``None`` in it, and no error.

        Raises:
            RefusedError: it failed, or answered with errors.
        """
        body = {"query": query, "variables": variables}
        answer = self._persist("POST", self.at.graphql, doing, body, twice=True)
        found = answer.data()
        if not isinstance(found, dict) or "data" not in found or not _only_gone(found):
            forbidden = b"FORBIDDEN" in answer.content or b"not accessible" in answer.content
            as_status = Answer(status=403 if forbidden else 200, headers={}, content=answer.content)
            raise refused(as_status, doing)
        return found["data"]

    def _persist(
        self, method: str, url: str, doing: str, body: Mapping[str, object] | None, twice: bool
    ) -> Answer:
        content = None if body is None else json.dumps(body).encode()
        for tries in range(1, _TRIES + 1):
            try:
                answer = self._follow(method, url, content, doing)
            except RefusedError as error:
                if tries == _TRIES or (error.maybe_done and not twice):
                    raise
                self._sleep(backoff_s(tries, None))
                continue
            if answer.status < 400:
                return answer
            wait = limited_s(answer)
            broken = answer.status >= 500 or answer.status == 408
            again = wait is not None or (broken and twice)
            if not again or tries == _TRIES or (wait or 0) > LONGEST_WAIT_S:
                raise refused(answer, doing, maybe_done=broken)
            self._sleep(backoff_s(tries, wait))
        raise AssertionError("the last try returns or raises")

    def _follow(self, method: str, url: str, content: bytes | None, doing: str) -> Answer:
        """Send a request, and again where the same host says that it has moved there."""
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._send(method, url, content, doing)
            if answer.status not in _REDIRECTS:
                return answer
            target = _joined(url, answer.headers.get("location", ""))
            if target is None:
                what = f"{doing}: the host points to another one, which gets no token"
                raise CostoptError(what, hint="check --api-url")
            if method != "GET" and answer.status not in _KEEP_METHOD:
                break
            url = target
        hint = "was the repository renamed? give its new name by --repo"
        raise CostoptError(f"{doing}: the host says that it has moved", hint=hint)

    def _send(self, method: str, url: str, content: bytes | None, doing: str) -> Answer:
        import httpx2

        try:
            with self._client.stream(method, url, content=content, headers=_type(content)) as found:
                data = _bounded(found)
                return Answer(status=found.status_code, headers=found.headers, content=data)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise _lost(f"{doing}: no connection", error, maybe_done=False) from None
        except httpx2.HTTPError as error:
            raise _lost(f"{doing}: the connection was lost", error, maybe_done=True) from None


def _only_gone(found: Mapping[str, Any]) -> bool:
    """Return whether nothing is wrong but that things were deleted meanwhile."""
    errors = found.get("errors") or []
    kinds = {error.get("type") if isinstance(error, dict) else None for error in errors}
    return not kinds or (kinds == {"NOT_FOUND"} and isinstance(found["data"], dict))


def _type(content: bytes | None) -> dict[str, str]:
    return {} if content is None else {"Content-Type": "application/json"}


def _lost(what: str, error: Exception, *, maybe_done: bool) -> RefusedError:
    said = clean(scrub(str(error)), 200) or type(error).__name__
    hint = "check the network and --api-url"
    return RefusedError(f"{what} ({said})", status=0, hint=hint, maybe_done=maybe_done)


def _bounded(response: "httpx2.Response") -> bytes:
    import httpx2

    if response.headers.get("content-encoding", "identity") != "identity":
        raise httpx2.ReadError("the host compressed its response unasked")
    parts: list[bytes] = []
    size = 0
    for part in response.iter_raw():
        size += len(part)
        if size > _LARGEST:
            raise httpx2.ReadError(f"the response is longer than {_LARGEST} bytes")
        parts.append(part)
    return b"".join(parts)


def _joined(url: str, location: str) -> str | None:
    """Return where a redirect leads; ``None`` where that is another host, port or scheme."""
    import httpx2

    before = httpx2.URL(url)
    try:
        after = before.join(location)
    except httpx2.InvalidURL:
        return None
    same = (before.scheme, before.host, before.port) == (after.scheme, after.host, after.port)
    return str(after) if same else None
