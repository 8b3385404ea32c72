"""Where a comment goes: the repository, and the addresses of its host's interface."""

import re
import urllib.parse
from dataclasses import dataclass

from ...core.errors import CostoptError

PUBLIC_API = "https://api.github.com"
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_HERE = ("localhost", "127.0.0.1", "::1")
_HINT = "such as --api-url https://github.example.com/api/v3"


@dataclass(frozen=True)
class Address:
    """A repository at a host."""

    api: str
    """Without a slash at its end; GitHub Enterprise Server's ends in ``/api/v3``."""
    repository: str
    """``OWNER/NAME``."""

    @property
    def graphql(self) -> str:
        """The address of the host's GraphQL interface.

        Example:
            >>> Address("https://api.github.com", "a/b").graphql
            'https://api.github.com/graphql'
            >>> Address("https://github.example.com/api/v3", "a/b").graphql
            'https://github.example.com/api/graphql'
        """
        return f"{self.api.removesuffix('/v3')}/graphql"


def address(api: str, repository: str) -> Address:
    """Return a checked address; a token is sent to it, so that it has to be encrypted.

    Raises:
        CostoptError: no ``OWNER/NAME``, or no https address, except on this machine.
    """
    owner, _, name = repository.partition("/")
    if not _REPOSITORY.fullmatch(repository) or {owner, name} & {".", ".."}:
        what = f'"{repository[:200]}" is no repository'
        raise CostoptError(what, hint="such as --repo OWNER/NAME")
    return Address(_checked(api), repository)


def _checked(api: str) -> str:
    try:
        parts = urllib.parse.urlsplit(api)
        host, extra = parts.hostname, parts.username or parts.query or parts.fragment
        _ = parts.port
    except ValueError:
        raise CostoptError("the address of the interface cannot be read", hint=_HINT) from None
    if extra or not host or parts.scheme not in ("https", "http"):
        raise CostoptError("the address of the interface is no plain https address", hint=_HINT)
    if parts.scheme == "http" and host not in _HERE:
        what = "the address of the interface is not encrypted, and a token would be sent there"
        raise CostoptError(what, hint=_HINT)
    return api.rstrip("/")
