"""One call to a target, and what it cost."""

from dataclasses import dataclass
from decimal import Decimal

from ..core.configured import Config, TargetConfig
from ..core.errors import CostoptError
from ..core.protocols import Target, TargetError
from ..core.types import Answer, GenerationSettings, Message, Request
from ..costs.billing import billed_price
from ..costs.prices import cost_of

MAX_OUTPUT_TOKENS = 64
_HINTS = {
    "rate_limit": "wait a little, or set requests_per_minute under [targets.NAME]",
    "timeout": "is the server busy, or is it the wrong address?",
    "server": "is the server running, and is base_url right (it often ends in /v1)?",
    "rejected": "check the model's name, the key and base_url under [targets.NAME]",
}


@dataclass(frozen=True, kw_only=True)
class Charge:
    """What one call cost in USD; ``usd`` is ``None`` where that is unknown."""

    usd: Decimal | None
    words: str
    """Where the amount comes from; why there is none."""
    evidence: str | None
    """``list``: a price times the tokens; ``estimated``: seconds of a server of one's own."""


FREE = Charge(usd=Decimal(0), words="nothing", evidence=None)
"""What the embedded target costs."""


async def try_target(target: Target, prompt: str) -> Answer:
    """Ask a target once, live, and close it.

    Raises:
        CostoptError: no answer came; says what to look at.
    """
    settings = GenerationSettings(max_output_tokens=MAX_OUTPUT_TOKENS)
    try:
        return await target.answer(Request(messages=(Message("user", prompt),), settings=settings))
    except TargetError as error:
        # Not chained: all that is known of the failure is in its message, without the key.
        raise CostoptError(
            f'the target "{target.name}" gave no answer ({error.kind}): {error}',
            hint=_HINTS.get(error.kind),
        ) from None
    finally:
        await target.close()


def charge_of(name: str, config: Config, answer: Answer) -> Charge:
    """Return what a call cost: by its tokens, or by the seconds of a server paid by the hour.

    Raises:
        CostoptError: a price of the configuration is none.
    """
    price = billed_price(name, config.targets.get(name) or TargetConfig(name=name))
    if price is None:
        return Charge(usd=None, words="unknown price", evidence=None)
    usd = cost_of(answer.usage, price, seconds=answer.latency_s)
    if usd is None:
        return Charge(usd=None, words="unknown: a rate is missing", evidence=None)
    if price.usd_per_hour is not None:
        words = f"{answer.latency_s:.2f} s at {price.usd_per_hour} USD an hour, one call at a time"
        return Charge(usd=usd, words=words, evidence="estimated")
    return Charge(usd=usd, words=f"{price.source}, {price.as_of}", evidence="list")
