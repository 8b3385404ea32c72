"""Models on Amazon Bedrock: AWS's own client, which takes no HTTP client of ours.

It follows no redirect and takes no endpoint from variables or files here; its responses are not
bounded. Imported only where a request is made.
"""

import logging
import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.session import Session
from botocore.tokens import FrozenAuthToken
from pydantic_ai.models import Model
from pydantic_ai.models.bedrock import BedrockConverseModel
from pydantic_ai.providers.bedrock import BedrockProvider

from ..core.errors import CostoptError

# At its lowest level AWS's client writes down whole requests and responses.
logging.getLogger("botocore").setLevel(logging.INFO)


class _KeySession(Session):
    """A session that signs with an API key only."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    def get_auth_token(self, **_: Any) -> FrozenAuthToken:  # noqa: ANN401 - as botocore has it
        return FrozenAuthToken(self._key)

    def get_credentials(self) -> None:
        return None


def open_bedrock(
    model: str, url: str, key: str | None, timeout_s: float
) -> tuple[Model[Any], tuple[str, ...]]:
    """Return a model and the secrets that its requests are signed with.

    Args:
        model: The model's or inference profile's identifier.
        url: The endpoint, with ``{region}`` in it.
        key: A Bedrock API key; without one AWS's own credentials are taken, wherever AWS's tools
            find them (variables, profile, role).
        timeout_s: Seconds for each read.

    Raises:
        CostoptError: no region, or no credentials.
    """
    session, region, secrets = aws_session(key)
    config = Config(
        signature_version="bearer" if key else None,
        retries={"total_max_attempts": 1},
        read_timeout=timeout_s,
        connect_timeout=min(10.0, timeout_s),
        max_pool_connections=64,
        ignore_configured_endpoint_urls=True,
    )
    client = session.client(
        "bedrock-runtime",
        region_name=region,
        endpoint_url=url.format(region=region),
        config=config,
    )
    return BedrockConverseModel(model, provider=BedrockProvider(bedrock_client=client)), secrets


def aws_session(key: str | None) -> tuple[boto3.Session, str, tuple[str, ...]]:
    """Return AWS's session, the region, and the secrets that requests are signed with.

    Args:
        key: A Bedrock API key, or ``None`` for AWS's own credentials.

    Raises:
        CostoptError: no region, or no credentials.
    """
    session = boto3.Session(botocore_session=_KeySession(key) if key else Session())
    region = session.region_name or os.environ.get("AWS_REGION")
    if not region:
        raise CostoptError(
            "Bedrock needs to know the region", hint="set the environment variable AWS_REGION"
        )
    return session, region, (key,) if key else _secrets(session)


def _secrets(session: boto3.Session) -> tuple[str, ...]:
    credentials = session.get_credentials()
    if credentials is None:
        raise CostoptError(
            "Bedrock needs an API key or AWS credentials, and there are none",
            hint="set AWS_BEARER_TOKEN_BEDROCK, or sign in with AWS's own tools",
        )
    return tuple(part for part in (credentials.secret_key, credentials.token) if part)
