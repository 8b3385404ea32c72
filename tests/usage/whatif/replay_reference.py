"""The log replayed request by request in plain Python: what the SQL is held to."""

from collections import Counter, OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from costopt.costs.cache_rules import cache_rule, hour_write
from costopt.costs.prices import batch_price, price_for, usd, warm_batch_price
from costopt.costs.suggest import cheaper_models


@dataclass(frozen=True, kw_only=True)
class Request:
    """A line of a log; ``surcharge`` and ``served`` are what a lever does to it."""

    at: datetime
    provider: str
    model: str
    feature: str | None
    input: int
    read: int = 0
    write: int = 0
    write_1h: int = 0
    output: int = 0
    error: bool = False
    batch: bool = False
    key: str | None = None
    blocks: tuple[int, ...] | None = None
    block_tokens: int | None = None
    surcharge: int | None = None
    served: bool = False
    prompt: str | None = None
    text: str | None = None
    answer: str | None = None

    @property
    def ref(self):
        return f"{self.provider}:{self.model}"


def price(request):
    """What one request costs, by the functions that `analyze` prices with."""
    if request.served:
        return Decimal(0)
    found = price_for(request.ref, on=request.at.date())
    if found is None:
        return None
    rule = cache_rule(request.ref)
    if request.batch:
        warm = warm_batch_price(found, stacks=rule.batch_stacks if rule else None)
        found = batch_price(found)
        if found is None or (request.read and warm is None):
            return None
    else:
        warm = found
    hour = hour_write(request.ref)
    long = request.write_1h if hour is not None else 0
    write, plain = request.write - long, usd(found, input=request.input, output=request.output)
    # What reading and writing change, each for itself, so that a warm batch's read price is used.
    total = plain
    if request.read:
        total += usd(warm, input=request.input, output=0, cache_read=request.read) - usd(
            warm, input=request.input, output=0
        )
    if write and request.surcharge is None:
        total += usd(found, input=request.input, output=0, cache_write=write) - usd(
            found, input=request.input, output=0
        )
    elif write:
        rate = usd(found, input=request.input, output=0) / request.input
        total += write * rate * (Decimal(request.surcharge) / 100 - 1)
    if long:
        rate = usd(found, input=request.input, output=0) / request.input
        total += long * rate * (hour - 1)
    return total


def exact(log, ttl_s, size):
    """A list in the order of last use, and nothing cleverer."""
    order, stored, out = [], {}, []
    for r in log:
        if r.served or r.key is None:
            out.append(r)
            continue
        alive = r.key in stored and (
            ttl_s is None or (r.at - stored[r.key]).total_seconds() <= ttl_s
        )
        if alive:
            order.remove(r.key)
            order.append(r.key)
        elif not r.error:
            if r.key in order:
                order.remove(r.key)
            order.append(r.key)
            stored[r.key] = r.at
            if size is not None and len(order) > size:
                del stored[order.pop(0)]
        out.append(replace(r, served=True) if alive else r)
    return out


def kind(request):
    """What is compared with one another: the same prompt of a feature at a model."""
    return request.feature, request.prompt, request.ref


def pair_sets(log):
    """The pairs of neighbouring words of each text, without those that most of its kind have."""
    kinds = {}
    for r in log:
        if r.text is not None:
            kinds.setdefault(kind(r), set()).add(tuple(r.text.lower().split()))
    found = {}
    for name, texts in kinds.items():
        sets = {words: set(zip(("<", *words), (*words, ">"), strict=True)) for words in texts}
        seen = Counter(pair for pairs in sets.values() for pair in pairs)
        common = {p for p, times in seen.items() if len(texts) >= 20 and times * 2 > len(texts)}
        found |= {(name, words): pairs - common for words, pairs in sets.items()}
    return found


def alike(log, percent, ttl_s, size):
    """Every answer that is held is looked at; returns the log, and which served which."""
    sets, held, out, sources = pair_sets(log), OrderedDict(), [], {}
    for number, r in enumerate(log):
        if r.served or r.text is None:
            out.append(r)
            continue
        key = kind(r), tuple(r.text.lower().split())
        alive = {
            other: since
            for other, since in held.items()
            if other[0] == key[0] and (ttl_s is None or (r.at - since[0]).total_seconds() <= ttl_s)
        }
        best = None
        for other, since in sorted(alive.items(), key=lambda item: item[1][1]):
            a, b = sets[key], sets[other]
            near = Fraction(len(a & b) ** 2, len(a) * len(b)) if a and b else Fraction(0)
            near = Fraction(2) if other == key else near
            if near >= Fraction(percent**2, 10_000) and (best is None or near > best[0]):
                best = near, other, since[1]
        if best is not None:
            held.move_to_end(best[1])
            sources[number] = best[2]
        elif not r.error:
            held[key] = r.at, number
            held.move_to_end(key)
            if size is not None and len(held) > size:
                held.popitem(last=False)
        out.append(replace(r, served=True) if best is not None else r)
    return out, sources


def shorter(r, variant):
    """One request with another version of its prompt."""
    kept = -(-r.input * variant.input_kept // 1_000_000)
    if variant.input_change is not None:
        kept = max(kept, r.input + variant.input_change)
    kept = max(kept, 0)
    read = max(r.read - max(r.input - kept, 0), 0)
    write = min(r.write, kept - read)
    rule = cache_rule(r.ref)
    floor = rule.floor if rule and rule.floor else 0
    if r.read + r.write >= floor and read + write < floor:
        read = write = 0
    output = r.output if r.error else -(-r.output * variant.output_kept // 1_000_000)
    long = min(r.write_1h, write)
    return replace(r, input=kept, read=read, write=write, write_1h=long, output=output)


def shortened(log, variants):
    """Each version where it saves on the requests of its prompt at its model."""
    by_name = {(v.prompt, v.model): v for v in variants}
    out = [
        shorter(r, by_name[r.prompt, r.ref]) if not r.served and (r.prompt, r.ref) in by_name else r
        for r in log
    ]
    pays = {
        pair
        for pair in by_name
        if saved(log, out, lambda r, pair=pair: (r.prompt, r.ref) == pair) > 0
    }
    return [a if (b.prompt, b.ref) in pays else b for b, a in zip(log, out, strict=True)]


def lives(ref, ttl_s):
    """The lifetimes of a model: seconds and the surcharge in percent."""
    rule = cache_rule(ref)
    if rule is None or rule.floor is None:
        return []
    return [
        (life.seconds or ttl_s, int(life.write * 100) if i else None)
        for i, life in enumerate(rule.lifetimes)
    ]


def prefix_with(log, chosen, size=None):
    """Replay with a lifetime for some of the models and features."""
    caches, out = {}, []
    for r in log:
        life = chosen.get((r.ref, r.feature))
        total = len(r.blocks or ()) * (r.block_tokens or 0)
        if r.served or r.error or not r.blocks or life is None or total < cache_rule(r.ref).floor:
            out.append(r)
            continue
        held = caches.setdefault(r.ref, OrderedDict())
        blocks = list(dict.fromkeys(r.blocks))
        found = 0
        for block in blocks:
            last = held.get(block)
            if last is None or (r.at - last[0]).total_seconds() > last[1]:
                break
            found += 1
        for block in reversed(blocks):
            held.pop(block, None)
            held[block] = (r.at, life[0])
        while size is not None and len(held) > size:
            held.popitem(last=False)
        hit = found * r.block_tokens
        read = min(hit, r.input) if hit >= cache_rule(r.ref).floor else 0
        if read > r.read or (not r.read and not r.write):
            write = max(min(total, r.input) - read, 0)
            r = replace(r, read=read, write=write, write_1h=0, surcharge=life[1])
        out.append(r)
    return out


def saved(before, after, only=lambda r: True):
    """The difference, of requests that changed and whose price is known."""
    total = Decimal(0)
    for b, a in zip(before, after, strict=True):
        if a != b and only(b) and price(b) is not None and price(a) is not None:
            total += price(b) - price(a)
    return total


def prefix(log, ttl_s):
    """The lifetime that saves most for each model and feature, then all together."""
    pairs = sorted({(r.ref, r.feature) for r in log if r.blocks}, key=str)
    best = {}
    for index in (0, 1):
        option = {p: lives(p[0], ttl_s)[index] for p in pairs if len(lives(p[0], ttl_s)) > index}
        after = prefix_with(log, option)
        for pair in option:
            amount = saved(log, after, lambda r, pair=pair: (r.ref, r.feature) == pair)
            if amount > best.get(pair, (0,))[0]:
                best[pair] = (amount, option[pair])
    return prefix_with(log, {pair: life for pair, (_, life) in best.items()})


def batched(log, features):
    out = []
    for r in log:
        other = replace(r, batch=True, read=0, write=0, write_1h=0, surcharge=None)
        known = None not in (price(r), price(other))
        moves = r.feature in features and not r.served and not r.batch and known
        out.append(other if moves and price(other) < price(r) else r)
    return out


def caps_of(log, percent):
    caps = {}
    for feature in {r.feature for r in log}:
        lengths = sorted(r.output for r in log if r.feature == feature and not r.error)
        if lengths:
            # The smallest length that at least this part of the answers does not exceed.
            caps[feature] = next(
                x for i, x in enumerate(lengths) if (i + 1) * 100 >= percent * len(lengths)
            )
    return caps


def capped(log, caps):
    return [
        r
        if r.error or r.served or r.output <= caps.get(r.feature, r.output)
        else replace(r, output=caps[r.feature])
        for r in log
    ]


def others_of(log):
    found = {}
    for feature, ref in {(r.feature, r.ref) for r in log}:
        own = [r for r in log if (r.feature, r.ref) == (feature, ref)]
        listed = cheaper_models(
            ref,
            input=sum(r.input for r in own) / len(own),
            output=sum(r.output for r in own) / len(own),
            longest=max(r.input + r.output for r in own),
            on=max(r.at for r in own).date(),
        )
        if listed:
            found[feature, ref] = listed[0].model
    return found


def swapped(log, others):
    out = []
    for r in log:
        to = others.get((r.feature, r.ref))
        out.append(replace(r, model=to.partition(":")[2]) if to and not r.served else r)
    return out


def combined(log, *, ttl_s, size, prefix_ttl_s, features, percent, near, variants):
    """All levers in the stated order; returns the states, the first one included."""
    states = [log, exact(log, ttl_s, size)]
    states.append(alike(states[-1], near, ttl_s, size)[0])
    if any(r.blocks for r in log):
        states.append(prefix(states[-1], prefix_ttl_s))
    states.append(shortened(states[-1], variants))
    states.append(batched(states[-1], features))
    states.append(capped(states[-1], caps_of(log, percent)))
    states.append(swapped(states[-1], others_of(log)))
    return states
