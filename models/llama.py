"""llama.cpp in this process: its server on a loopback port, with a key nobody else has."""

import http.client
import importlib
import json
import os
import secrets
import socket
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..core.protocols import TargetError

_REMEMBERED = 4096
_REMEMBERED_CHARACTERS = 20_000


class Call:
    """One HTTP request that another thread may cut off.

    Closing its connection makes llama.cpp stop the work: at the next batch, within seconds.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """Cut the connection; the call ends with an error."""
        with self._lock:
            self._cancelled = True
            if self._connection is not None and self._connection.sock is not None:
                self._connection.sock.shutdown(socket.SHUT_RDWR)

    def post(
        self, host: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """Send and wait; return the status and the body.

        Raises:
            OSError: no connection, or cut off.
            http.client.HTTPException: a broken response.
        """
        connection = http.client.HTTPConnection(host)
        try:
            connection.connect()
            with self._lock:
                if self._cancelled:
                    raise ConnectionAbortedError("cancelled")
                self._connection = connection
            connection.request("POST", path, body, dict(headers))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            with self._lock:
                self._connection = None
            connection.close()


class LlamaServer:
    """A model loaded by llama.cpp, with its tokenizer.

    Args:
        weights: A GGUF file.
        context: Tokens of prompt and answer together.
        threads: How many; default: the processors that this process may use.

    Raises:
        RuntimeError: the file cannot be loaded.
    """

    def __init__(self, weights: Path, *, context: int, threads: int | None = None) -> None:
        xllamacpp = _engine()
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(weights)
        parameters.n_ctx = context
        parameters.n_parallel = 1
        # Work is given up between batches: small ones make Ctrl-C quick and cost no speed.
        parameters.n_batch = parameters.n_ubatch = 512
        for part in (parameters.cpuparams, parameters.cpuparams_batch):
            part.n_threads = threads or processors()
            part.poll = 0  # Do not spin while others need the processor.
        parameters.warmup = False
        # Keeps the prefixes of other prompts, so that coming back to one computes nothing again.
        parameters.cache_ram_mib = 256
        parameters.ui = False
        parameters.verbosity = -1
        parameters.port = 0
        self._key = secrets.token_urlsafe(32)
        parameters.api_keys = [self._key]
        self._server: Any = xllamacpp.Server(parameters)
        self.url: str = self._server.listening_address
        self._host = urlsplit(self.url).netloc
        self.context = context
        self._tokens = lru_cache(maxsize=_REMEMBERED)(self._ask_tokens)

    @property
    def key(self) -> str:
        """The key that this server asks for; it is good for this process only."""
        return self._key

    def tokens(self, text: str, *, special: bool = False) -> tuple[int, ...]:
        """Return the token ids of ``text``.

        Args:
            text: Any text.
            special: Whether text such as ``<|im_end|>`` becomes the special token; otherwise it
                is the characters that it is written with.

        Raises:
            TargetError: the text is no valid Unicode.
        """
        if len(text) > _REMEMBERED_CHARACTERS:
            return self._ask_tokens(text, special)
        return self._tokens(text, special)

    def _ask_tokens(self, text: str, special: bool) -> tuple[int, ...]:
        payload = {"content": text, "add_special": False, "parse_special": special}
        return tuple(self.post("/tokenize", payload)["tokens"])

    def post(
        self, path: str, payload: Mapping[str, Any], call: Call | None = None
    ) -> dict[str, Any]:
        """Send JSON to the server and return the JSON that comes back.

        Raises:
            TargetError: it said no (``rejected``), or failed (``server``).
        """
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        try:
            body = json.dumps(payload, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError as error:
            raise TargetError("the text is no valid Unicode", kind="rejected") from error
        try:
            status, answer = (call or Call()).post(self._host, path, headers, body)
            found: object = json.loads(answer)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise TargetError(f"llama.cpp gave no answer: {error}", kind="server") from error
        if status != 200 or not isinstance(found, dict):
            raise _refusal(status, found)
        return dict(found)

    def close(self) -> None:
        """Stop the server and free the model."""
        self._server = None


def _engine() -> Any:  # noqa: ANN401 - the package has no types
    """Import llama.cpp so that its threads spin only briefly where they wait for one another.

    Where something else runs on a processor, spinning threads wait for one that is not running:
    on two busy processors that was 20 times slower. Sleeping at once (``OMP_WAIT_POLICY=PASSIVE``)
    makes every token wait for hundreds of wake-ups instead: 2.5 times slower on two idle ones.
    A short spin costs a tenth at most in either case. OpenMP reads the variable once, when loaded.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    return importlib.import_module("xllamacpp")


def processors() -> int:
    """Return how many processors this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def _refusal(status: int, found: object) -> TargetError:
    error = found.get("error") if isinstance(found, dict) else None
    message = str(error.get("message", "")) if isinstance(error, dict) else ""
    kind = "rejected" if 400 <= status < 500 else "server"
    return TargetError(f"llama.cpp: {message[:300] or f'status {status}'}", kind=kind)
