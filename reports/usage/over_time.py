"""Cost over time as JSON."""

from typing import Any

from ...usage.periods import shown
from ...usage.slots import OverTime


def over_time_json(found: OverTime) -> dict[str, Any]:
    """Return cost over time as the key ``over_time`` of ``costopt.usage/1``.

    ``by_feature`` of each slot is in the order of ``features``; unknown is ``None``.
    """
    return {
        "step": found.step,
        "features": [one.feature for one in found.shown],
        "other_features": found.other_features,
        "slots": [
            {
                "from": shown(slot.start),
                "to": shown(slot.end),
                "requests": slot.requests,
                "unpriced": slot.unpriced,
                "usd": slot.total,
                "by_feature": list(slot.usd),
                "others": slot.others,
            }
            for slot in found.slots
        ],
        "untimed": {"requests": found.untimed, "usd": found.untimed_usd},
    }
