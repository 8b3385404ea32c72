"""CO509: the fixed beginning is just under, or just above, what the provider caches from."""

from collections.abc import Iterator
from decimal import Decimal

from ...costs.prefix import static_prefix
from .base import Case, Hit, Model, Rule, first_visible, usd

_UNDER = Decimal("0.15")
_ABOVE = Decimal("0.10")


def _find(case: Case) -> Iterator[Hit]:
    text = static_prefix(case.template)
    first = first_visible(case.template.messages[0].content)
    for model in case.models:
        if model.floor is None or (model.input is not None and model.cache_read is None):
            continue
        tokens = model.count(text)
        if (1 - _UNDER) * model.floor <= tokens < model.floor:
            yield _under(model, tokens, model.floor, first)
        elif model.floor <= tokens <= (1 + _ABOVE) * model.floor:
            yield _above(model, tokens, model.floor, first)


def _under(model: Model, tokens: int, floor: int, first: int) -> Hit:
    saved = None
    if model.input is not None and model.cache_read is not None:
        saved = (tokens * model.input - floor * model.cache_read) / 1000
    saved = saved if saved is not None and saved > 0 else None
    told = f", which saves at most {usd(saved)} per 1,000 requests" if saved else ""
    return Hit(
        message=f"the fixed beginning has {tokens:,} tokens, {floor - tokens:,} short of the "
        f"{floor:,} from which {model.ref} caches it: more fixed text there, such as another "
        f"example, makes it cacheable{told}",
        at=(0, first, first),
        usd_per_1k=saved,
    )


def _above(model: Model, tokens: int, floor: int, first: int) -> Hit:
    lost = model.cached_saves(tokens)
    told = (
        f": {usd(lost)} per 1,000 requests dearer where all of them find it cached" if lost else ""
    )
    return Hit(
        message=f"the fixed beginning has {tokens:,} tokens, and {model.ref} caches it from "
        f"{floor:,}: cutting more than {tokens - floor:,} of them ends that{told}",
        at=(0, first, first),
    )


RULE = Rule(
    code="CO509",
    name="cache-floor",
    summary="the fixed beginning is just under or above what the provider caches from",
    find=_find,
    why="Below its minimum a provider caches nothing, and says nothing. A beginning at most 15 % "
    "short of it is cheaper when it gets longer; one at most 10 % above it may get dearer when it "
    "gets shorter. Only models whose minimum is known are looked at; the text is counted without "
    "what the provider's chat format adds.",
    before="A rule of the house to follow. " * 120 + "\n\nTicket: {{ ticket }}\n",
    after="A rule of the house to follow. " * 160 + "\n\nTicket: {{ ticket }}\n",
    ignore="Where calls are so rare that no cache lives until the next one, or what the calling "
    "code puts before this text is what counts.",
    money="Under the minimum: what is saved if the beginning is brought up to it with fixed text, "
    "and every request finds it cached. Above it there is nothing to save: the message says what "
    "a careless cut would cost.",
)
