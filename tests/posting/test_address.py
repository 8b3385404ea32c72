"""Where a token may be sent."""

import pytest

from costopt.core.errors import CostoptError
from costopt.reports.posting.address import PUBLIC_API, address


@pytest.mark.parametrize(
    ("api", "graphql"),
    [
        (PUBLIC_API, "https://api.github.com/graphql"),
        ("https://github.example.com/api/v3/", "https://github.example.com/api/graphql"),
        ("https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/graphql"),
    ],
)
def test_both_interfaces_are_at_one_host(api: str, graphql: str) -> None:
    assert address(api, "acme/prompts").graphql == graphql


@pytest.mark.parametrize(
    "api",
    [
        "http://github.example.com/api/v3",
        "http://127.0.0.1.example.com",
        "https://user:secret@github.example.com",
        "https://github.example.com/api/v3?x=1",
        "file:///etc/passwd",
        "github.example.com",
        "https://",
        "https://[",
        "https://github.example.com:port",
        "",
    ],
)
def test_a_token_is_only_sent_encrypted(api: str) -> None:
    with pytest.raises(CostoptError, match="address of the interface") as caught:
        address(api, "acme/prompts")
    assert "--api-url" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "name", ["", "acme", "a/b/c", "a/..", "../b", "a b/c", "a/b?x", "a/b#", "/b"]
)
def test_a_repository_is_an_owner_and_a_name(name: str) -> None:
    with pytest.raises(CostoptError, match="is no repository"):
        address(PUBLIC_API, name)
