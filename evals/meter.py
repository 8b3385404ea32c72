"""What a variant weighs: tokens and money per request, on the same rows as the baseline."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from statistics import fmean, quantiles

from ..compressors.contexts import Shortener
from ..core.errors import CostoptError
from ..core.protocols import TokenCounter
from ..core.report import CostInfo, Delta, Latency, Tokens
from ..core.types import Answer, PromptTemplate, Sample, Variant
from ..costs.cost import mean_request, money_of
from ..costs.hourly import mean_concurrency
from ..costs.prefix import prefix_tokens
from ..costs.prices import Price
from ..costs.request import MeanRequest
from .runner import render_trial


@dataclass(frozen=True, kw_only=True)
class Weight:
    """Tokens per request. ``output_measured``: whether this variant's own answers were counted.

    ``seconds`` is how long a request keeps a server busy, its time shared among those under way.
    """

    input: float
    output: float | None
    output_measured: bool
    cache_read: float | None = None
    cache_write: float | None = None
    reasoning: float | None = None
    seconds: float | None = None


@dataclass(kw_only=True)
class Meter:
    """Weighs the variants of one prompt at one target.

    With ``recount``, prompt and answer texts are counted with ``counter`` (the tokenizer of the
    model that the target is priced as); else a target's own usage is read where there are answers.
    """

    counter: TokenCounter
    price: Price | None
    recount: bool
    rows: Sequence[Sample]
    calls_per_month: int | None = None
    cache_hit_rate: float | None = None
    logged_output: float | None = None
    """How long answers are in use, as request logs say: counted on where none was measured."""
    batch: bool = False
    """Whether the prompt's calls are made in batches."""
    shortener: Shortener | None = None
    replayed: bool = False
    """Whether its answers come out of the store alone."""
    timed: Callable[[], Iterable[Answer]] | None = None
    """All answers that the target generated, where its server is paid by the hour."""
    _inputs: dict[str, float] = field(default_factory=dict[str, float])

    def weigh(
        self,
        variant: Variant,
        answers: Mapping[str, Answer],
        baseline: Variant,
        baseline_answers: Mapping[str, Answer],
    ) -> Weight:
        """Return the mean tokens per request.

        A variant that was answered on fewer rows than the baseline has the baseline's mean times
        the ratio on the rows that both have; where it was not generated at all, its output is
        taken to be the baseline's, and where that was not either, what request logs say.
        """
        common = [id_ for id_ in answers if id_ in baseline_answers]
        base = list(baseline_answers.values())
        first = variant.name == baseline.name

        def mean(read: Callable[[Answer], float]) -> float | None:
            own = [read(answer) for answer in answers.values()]
            before = [read(answer) for answer in base]
            shared = sum(read(baseline_answers[id_]) for id_ in common)
            if not before or (not first and not shared and own):
                return fmean(own) if own else None
            if first or not common:
                return fmean(before)
            return fmean(before) * sum(read(answers[id_]) for id_ in common) / shared

        asked = mean(lambda answer: answer.usage.input) if answers and not self.recount else None
        read_usage = not self.recount and bool(answers)
        output = mean(self._output)
        return Weight(
            input=asked if asked is not None else self.input_mean(variant),
            output=self.logged_output if output is None else output,
            output_measured=bool(answers),
            cache_read=mean(lambda answer: answer.usage.cache_read) if read_usage else None,
            cache_write=mean(lambda answer: answer.usage.cache_write) if read_usage else None,
            reasoning=mean(lambda answer: answer.usage.reasoning) if read_usage else None,
            seconds=self._share(mean(_latency_s))
            if self.hourly and _timed(answers, base)
            else None,
        )

    @property
    def hourly(self) -> bool:
        """Whether the target's server is paid by the hour."""
        return self.price is not None and self.price.usd_per_hour is not None

    @property
    def concurrency(self) -> float | None:
        """Return how many requests shared the server's time, as its answers tell."""
        found = self.timed() if self.timed else ()
        return mean_concurrency((a.created, _latency_s(a)) for a in found if a.logprobs is None)

    def _share(self, latency_s: float | None) -> float | None:
        together = self.concurrency
        return None if latency_s is None or together is None else latency_s / together

    def money_on(self, variant: Variant, answers: Mapping[str, Answer]) -> CostInfo:
        """Return the money of a variant on the rows of ``answers`` alone."""
        weight = self.weigh(variant, answers, variant, answers)
        if self.recount:
            rows = [sample for sample in self.rows if sample.id in answers]
            weight = replace(weight, input=self._count_inputs(variant, rows))
        return self.cost(variant, weight, evidence=self.evidence(weight))

    def input_mean(self, variant: Variant) -> float:
        """Return the mean tokens of the rendered prompt over the rows; without rows, unrendered."""
        if variant.name not in self._inputs:
            self._inputs[variant.name] = self._count_inputs(variant, self.rows)
        return self._inputs[variant.name]

    def _count_inputs(self, variant: Variant, rows: Sequence[Sample]) -> float:
        counts: list[int] = []
        for sample in rows:
            try:
                messages = render_trial(variant, sample, self.shortener)
            except CostoptError:
                continue
            schemas = self.counter(variant.template.schemas)
            counts.append(sum(self.counter(message.content) for message in messages) + schemas)
        return fmean(counts) if counts else float(self.template_tokens(variant.template))

    def template_tokens(self, template: PromptTemplate) -> int:
        """Return the tokens of the template's own text and schemas, placeholders included."""
        text = sum(self.counter(message.content) for message in template.messages)
        return text + self.counter(template.schemas)

    def _output(self, answer: Answer) -> int:
        return self.counter(answer.text) if self.recount else answer.usage.output

    def saving(
        self,
        baseline: Variant,
        variant: Variant,
        baseline_answers: Mapping[str, Answer],
        answers: Mapping[str, Answer],
    ) -> float | None:
        """Return the fraction of the baseline's cost that is saved; by tokens if unpriced."""
        before = self.weigh(baseline, baseline_answers, baseline, baseline_answers)
        after = self.weigh(variant, answers, baseline, baseline_answers)
        was, now = self._rough(before), self._rough(after)
        return 1 - now / was if was else None

    def row_savings(
        self, baseline_answers: Mapping[str, Answer], answers: Mapping[str, Answer]
    ) -> tuple[float, ...]:
        """Return what each row that both have saves, in parts of the baseline's mean cost.

        By the target's own token counts, which tell a dearer variant as well as those that money
        is counted with.
        """
        both = [id_ for id_ in answers if id_ in baseline_answers]
        before, after = (
            [self._rough_tokens(one[id_].usage.input, one[id_].usage.output) for id_ in both]
            for one in (baseline_answers, answers)
        )
        mean = fmean(before) if before else 0.0
        return tuple((old - new) / mean for old, new in zip(before, after, strict=True) if mean)

    def _rough(self, weight: Weight) -> float:
        if weight.seconds is not None:
            return weight.seconds
        return self._rough_tokens(weight.input, weight.output or 0.0)

    def _rough_tokens(self, read: float, written: float) -> float:
        rate_in = rate_out = 1.0
        if (
            self.price is not None
            and self.price.input is not None
            and self.price.output is not None
        ):
            rate_in, rate_out = float(self.price.input), float(self.price.output)
        return read * rate_in + written * rate_out

    def tokens(self, variant: Variant, weight: Weight, *, asked: bool) -> Tokens:
        """Return the report's token block."""
        return Tokens(
            template=self.template_tokens(variant.template),
            tokenizer=self.counter.tokenizer,
            exact=self.counter.exact,
            input_mean=weight.input if asked or self.rows else None,
            cache_read_mean=weight.cache_read,
            cache_write_mean=weight.cache_write,
            output_mean=weight.output if weight.output_measured else None,
            reasoning_mean=weight.reasoning,
        )

    def cost(self, variant: Variant, weight: Weight, *, evidence: str) -> CostInfo:
        """Return the report's cost block."""
        request = self.request(variant, weight)
        if request is None:
            return CostInfo(evidence=evidence)
        return money_of(
            request,
            calls_per_month=self.calls_per_month,
            cache_hit_rate=self.cache_hit_rate,
            batch=self.batch,
            evidence=evidence,
        )

    def request(self, variant: Variant, weight: Weight) -> MeanRequest | None:
        """Return the mean request that `cost` prices; ``None`` without a price."""
        if self.price is None:
            return None
        return mean_request(
            input_mean=weight.input,
            # Without any answer the money is that of the input alone; the evidence says "list".
            output_mean=weight.output if weight.output is not None else 0.0,
            cache_read_mean=weight.cache_read,
            cache_write_mean=weight.cache_write,
            reasoning_mean=weight.reasoning,
            price=self.price,
            prefix_tokens=prefix_tokens(variant.template, self.counter),
            seconds_mean=weight.seconds,
        )

    def evidence(self, weight: Weight) -> str:
        """Say what the money rests on."""
        if weight.output is None:
            return "list"
        own = weight.output_measured and not self.recount and not self.hourly
        if not own:
            return "estimated"
        return "replayed" if self.replayed else "measured"


def _latency_s(answer: Answer) -> float:
    return answer.latency_s or 0.0


def _timed(answers: Mapping[str, Answer], others: Sequence[Answer]) -> bool:
    """Say whether all answers have a latency; those out of a batch have none."""
    return all(answer.latency_s is not None for answer in (*answers.values(), *others))


def delta(before: Weight, after: Weight, cost_before: CostInfo, cost_after: CostInfo) -> Delta:
    """Return token and money differences as fractions of the baseline."""
    return Delta(
        input_tokens=fraction(before.input, after.input),
        output_tokens=(
            fraction(before.output, after.output)
            if after.output_measured and before.output_measured
            else None
        ),
        usd_per_1k=fraction(number(cost_before.usd_per_1k), number(cost_after.usd_per_1k)),
    )


def number(value: Decimal | None) -> float | None:
    """Return an amount as a float; unknown stays unknown."""
    return None if value is None else float(value)


def fraction(before: float | None, after: float | None) -> float | None:
    """Return the change from one number to another as a fraction of the first.

    Example:
        >>> fraction(200, 150), fraction(None, 150) is None
        (-0.25, True)
    """
    return None if before is None or after is None or before == 0 else after / before - 1


def latency(answers: Mapping[str, Answer]) -> Latency | None:
    """Return the percentiles of generated answers' latency, as stored with them, in seconds."""
    timed = [
        (answer.latency_s, answer.usage.output)
        for answer in answers.values()
        if answer.logprobs is None and answer.latency_s is not None
    ]
    if not timed:
        return None
    times = sorted(seconds for seconds, _ in timed)
    cuts = quantiles(times, n=20, method="inclusive") if len(times) > 1 else times * 19
    tokens = sum(written for _, written in timed)
    total = sum(times)
    return Latency(
        p50_s=cuts[9], p95_s=cuts[18], output_tokens_per_s=tokens / total if total else None
    )
