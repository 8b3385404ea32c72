import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats
from statsmodels.stats.contingency_tables import mcnemar

from costopt.core.student import incomplete_beta, student_quantile
from costopt.evals.betting import betting_low, log_capital, mixed
from costopt.evals.paired_binary import (
    EXACT_LIMIT,
    binary_low,
    exact_low,
    likelihood_statistic,
    limit,
    restricted_share,
    score_statistic,
)
from costopt.evals.statistics import (
    LEAST_UNBOUNDED,
    Bounds,
    adjusted_alpha,
    paired_bounds,
    samples_needed,
    verdict,
)

SCALES = ("binary", "bounded", "unbounded")


def bounds(differences, scale, alpha=0.05, clusters=None):
    return paired_bounds(differences, alpha=alpha, scale=scale, clusters=clusters)


# Oracles


@pytest.mark.parametrize("freedom", [1, 2, 4, 9, 47, 199, 5000])
@pytest.mark.parametrize("level", [0.6, 0.95, 0.99, 0.9999])
def test_student_quantiles_are_scipys(level, freedom):
    assert student_quantile(level, freedom) == pytest.approx(stats.t.ppf(level, freedom), rel=1e-7)


@given(st.floats(0.1, 200), st.floats(0.1, 200), st.floats(0, 1))
def test_the_incomplete_beta_is_scipys(a, b, x):
    assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), abs=1e-9)


def test_quantiles_out_of_range_are_refused():
    for level, freedom in ((0.5, 3), (1.0, 3), (0.9, 0)):
        with pytest.raises(ValueError, match="no t quantile"):
            student_quantile(level, freedom)


@pytest.mark.parametrize(("gained", "lost", "n"), [(12, 2, 50), (0, 3, 20), (5, 5, 11), (1, 0, 40)])
@pytest.mark.parametrize("delta", [-0.3, -0.05, 0.0, 0.12])
def test_the_restricted_share_has_the_greatest_likelihood(gained, lost, n, delta):
    def minus_log(share):
        tied = max(1 - 2 * share - delta, 1e-300)
        terms = ((gained, share + delta), (lost, share), (n - gained - lost, tied))
        return -sum(count * math.log(max(p, 1e-300)) for count, p in terms if count)

    least, most = max(0.0, -delta), (1 - delta) / 2
    found = optimize.minimize_scalar(minus_log, bounds=(least, most), options={"xatol": 1e-10})
    assert float(restricted_share(gained, lost, n, delta)) == pytest.approx(found.x, abs=1e-5)


@pytest.mark.parametrize(("gained", "lost", "n"), [(12, 2, 50), (3, 9, 30), (4, 4, 20)])
def test_tangos_statistic_at_zero_is_mcnemars(gained, lost, n):
    table = [[n - gained - lost, gained], [lost, 0]]
    expected = mcnemar(table, exact=False, correction=False).statistic
    assert float(score_statistic(gained, lost, n, 0.0)) ** 2 == pytest.approx(expected)


def test_tangos_limits_are_where_the_statistic_reaches_the_quantile():
    low = float(limit(score_statistic, 12, 2, 50, 0.025))
    high = -float(limit(score_statistic, 2, 12, 50, 0.025))
    assert (low, high) == pytest.approx((0.0611, 0.3447), abs=1e-4)
    for statistic in (score_statistic, likelihood_statistic):
        at = float(limit(statistic, 12, 2, 50, 0.05))
        assert statistic(12, 2, 50, at) == pytest.approx(stats.norm.ppf(0.95), abs=1e-6)


@pytest.mark.parametrize(("gained", "lost", "n"), [(0, 0, 6), (1, 0, 8), (2, 1, 7), (0, 2, 9)])
def test_the_exact_bound_is_that_of_brute_force(gained, lost, n):
    tables = [(b, c) for b in range(n + 1) for c in range(n + 1 - b)]
    ranks = {t: float(limit(likelihood_statistic, *t, n, 0.05)) for t in tables}
    tail = [t for t in tables if ranks[t] >= ranks[gained, lost] - 1e-9]

    def worst(delta):
        shares = np.linspace(max(0.0, -delta), (1 - delta) / 2, 2001)
        p = np.stack([shares + delta, shares, 1 - 2 * shares - delta], axis=1).clip(0)
        p /= p.sum(axis=1, keepdims=True)
        rows = np.array([(b, c, n - b - c) for b, c in tail])
        return sum(stats.multinomial.pmf(row, n, p) for row in rows).max()

    low = exact_low(gained, lost, n, 0.05)
    assert worst(low) <= 0.05 + 1e-6
    assert worst(low + 1e-3) > 0.05


@pytest.mark.parametrize("n", [1, 7, 30, 100])
def test_no_row_lost_excludes_what_the_rule_says(n):
    assert exact_low(0, 0, n, 0.05) == pytest.approx(0.05 ** (1 / n) - 1, abs=1e-4)


def test_forty_rows_cannot_exclude_a_loss_of_seven_points():
    found = bounds([0.0] * 40, "binary")
    assert found.low == pytest.approx(-0.072, abs=1e-3)
    assert verdict(found, 0.05) == "not enough data"


@pytest.mark.parametrize("n", [6, 25])
def test_the_ordering_rises_with_gains_and_falls_with_losses(n):
    for gained in range(n):
        for lost in range(n - gained):
            here = float(limit(likelihood_statistic, gained, lost, n, 0.05))
            assert float(limit(likelihood_statistic, gained + 1, lost, n, 0.05)) > here
            assert float(limit(likelihood_statistic, gained, lost + 1, n, 0.05)) < here


def test_betting_capital_is_the_mixture_of_products():
    values, mean = [0.2, 0.5, 0.9, 0.4], 0.3
    bets = np.sin(np.pi * (2 * np.arange(1, 65) - 1) / 256) ** 2
    products = np.prod([1 + bets * (value / mean - 1) for value in values], axis=0)
    assert mixed(log_capital(values, mean), 4) == pytest.approx(math.log(products.mean()))


def test_an_unskewed_mean_has_students_bound():
    differences = [-0.3, -0.1, 0.0, 0.0, 0.1, 0.3]
    found = bounds(differences, "unbounded")
    interval = stats.ttest_1samp(differences, 0).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_skewed_losses_push_only_the_lower_bound_outwards():
    differences = [-1.0, *[0.01 * k for k in range(-5, 6)]]
    found = bounds(differences, "unbounded")
    interval = stats.ttest_1samp(differences, 0).confidence_interval(0.9)
    assert found.low < interval.low - 0.01
    assert found.high == pytest.approx(interval.high)


# Validity


def chances(n, gain, loss):
    for gained in range(n + 1):
        for lost in range(n + 1 - gained):
            ties = n - gained - lost
            ways = math.comb(n, gained) * math.comb(n - gained, lost)
            yield gained, lost, ways * gain**gained * loss**lost * (1 - gain - loss) ** ties


@pytest.mark.parametrize("n", [5, 12, pytest.param(48, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("gain", "loss"), [(0.02, 0.02), (0.0, 0.05), (0.1, 0.15), (0.3, 0.3), (0, 0)]
)
def test_exact_coverage_of_the_binary_bounds_is_never_below_nominal(n, gain, loss):
    covered_low = covered_high = 0.0
    for gained, lost, chance in chances(n, gain, loss):
        if chance > 1e-9:
            covered_low += chance * (binary_low(gained, lost, n, 0.05) <= gain - loss + 1e-9)
            covered_high += chance * (-binary_low(lost, gained, n, 0.05) >= gain - loss - 1e-9)
    assert min(covered_low, covered_high) >= 0.95 - 1e-6


@pytest.mark.parametrize(("gain", "loss"), [(0.02, 0.02), (0.02, 0.07), (0.1, 0.15), (0.3, 0.3)])
def test_coverage_of_the_score_bound_beyond_the_exact_ones_is_near_nominal(gain, loss):
    n = 200
    tables = np.array([(b, c, p) for b, c, p in chances(n, gain, loss) if p > 1e-10])
    lows = limit(score_statistic, tables[:, 0], tables[:, 1], n, 0.05)
    assert (tables[:, 2] * (lows <= gain - loss)).sum() >= 0.94


DIFFERENCES = {
    "mostly none": lambda rng, n: rng.choice([-1.0, 0.0, 0.5], size=n, p=[0.05, 0.85, 0.1]),
    "uniform": lambda rng, n: rng.uniform(-1, 1, n),
    "rare losses": lambda rng, n: -rng.binomial(1, 0.03, n) * 1.0,
    "small": lambda rng, n: rng.normal(0, 0.1, n).clip(-1, 1),
}
BOUNDED_MEANS = {"mostly none": 0.0, "uniform": 0.0, "rare losses": -0.03, "small": 0.0}


def bounded_coverage(shape, n, runs):
    rng = np.random.default_rng(7)
    goal, mean = math.log(20), (BOUNDED_MEANS[shape] + 1) / 2
    kept = 0
    for _ in range(runs):
        values = (DIFFERENCES[shape](rng, n) + 1) / 2
        kept += mixed(log_capital(values, mean), n) < goal
        kept += mixed(log_capital(1 - values, 1 - mean), n) < goal
    return kept / (2 * runs)


@pytest.mark.parametrize("shape", DIFFERENCES)
@pytest.mark.parametrize("n", [10, 48])
def test_bounded_coverage(shape, n):
    assert bounded_coverage(shape, n, 300) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("shape", DIFFERENCES)
@pytest.mark.parametrize("n", [5, 10, 20, 48, 200])
def test_bounded_coverage_at_full_size(shape, n):
    assert bounded_coverage(shape, n, 5000) >= 0.95


def two_sided_coverage(n, p, runs, seed=0):
    """Both bounds at 2.5 %, of the difference of two answers that are each right with chance p."""
    rng = np.random.default_rng(seed)
    changed = p * (1 - p)
    draws = rng.multinomial(n, [changed, changed, 1 - 2 * changed], size=runs)
    tables, counts = np.unique(draws[:, :2], axis=0, return_counts=True)
    covered = [
        binary_low(int(gained), int(lost), n, 0.025) <= 1e-9
        and binary_low(int(lost), int(gained), n, 0.025) <= 1e-9
        for gained, lost in tables
    ]
    return counts[covered].sum() / runs


@pytest.mark.parametrize("n", [10, 200])
@pytest.mark.parametrize("p", [0.5, 0.9, 0.99, 1])
def test_intervals_of_95_percent_cover_that(n, p):
    covered = two_sided_coverage(n, p, 400)
    assert covered >= 0.93 - 3 * (0.93 * 0.07 / 400) ** 0.5
    if n * p * (1 - p) >= 5:
        assert covered <= 0.98 + 3 * (0.98 * 0.02 / 400) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize("n", [10, 20, 50, 200, 1000])
@pytest.mark.parametrize("p", [0.5, 0.9, 0.99, 1])
def test_intervals_of_95_percent_cover_that_at_full_size(n, p):
    covered = two_sided_coverage(n, p, 10_000)
    assert covered >= 0.93
    if n * p * (1 - p) >= 5:
        assert covered <= 0.98


@pytest.mark.parametrize("scale", ["bounded", "unbounded"])
@pytest.mark.parametrize("runs", [200, pytest.param(4000, marks=pytest.mark.slow)])
def test_clusters_of_ten_like_rows_keep_the_coverage(scale, runs):
    """An intra-cluster correlation of 0.3, ten rows a cluster; unclustered it would be lost."""
    rng = np.random.default_rng(13)
    labels = [str(row // 10) for row in range(200)]
    kept = naive = 0
    for _ in range(runs):
        shared = np.repeat(rng.normal(0, 0.2 * 0.3**0.5, 20), 10)
        rows = list((shared + rng.normal(0, 0.2 * 0.7**0.5, 200)).clip(-1, 1))
        found = bounds(rows, scale, alpha=0.025, clusters=labels)
        kept += found.low <= 0 <= found.high
        alone = bounds(rows, scale, alpha=0.025)
        naive += alone.low <= 0 <= alone.high
    assert kept >= 0.93 * runs - 3 * (0.93 * 0.07 * runs) ** 0.5
    if scale == "unbounded":
        assert naive <= 0.85 * runs


NATS = {
    "normal": (lambda rng, n: rng.normal(0, 0.2, n), 0.0, 0.945),
    "heavy": (lambda rng, n: rng.standard_t(3, n) * 0.2, 0.0, 0.945),
    "contaminated": (
        lambda rng, n: np.where(rng.random(n) < 0.1, rng.normal(0, 1, n), rng.normal(0, 0.05, n)),
        0.0,
        0.945,
    ),
    "skewed losses": (lambda rng, n: -rng.exponential(0.3, n), -0.3, 0.905),
    "a quarter lost": (
        lambda rng, n: np.where(rng.random(n) < 0.25, rng.normal(-1, 0.3, n), 0.05),
        0.25 * -1 + 0.75 * 0.05,
        0.92,
    ),
}


def nats_coverage(shape, n, runs):
    draw, mean, _ = NATS[shape]
    rng = np.random.default_rng(11)
    found = [bounds(list(draw(rng, n)), "unbounded") for _ in range(runs)]
    low = sum(each.low <= mean for each in found) / runs
    high = sum(each.high >= mean for each in found) / runs
    return low, high


@pytest.mark.parametrize("shape", NATS)
def test_coverage_of_nats(shape):
    low, high = nats_coverage(shape, 48, 400)
    assert min(low, high) >= NATS[shape][2] - 0.025  # two standard errors of 400 runs


@pytest.mark.slow
@pytest.mark.parametrize("shape", NATS)
@pytest.mark.parametrize("n", [10, 20, 48, 200])
def test_coverage_of_nats_at_full_size(shape, n):
    low, high = nats_coverage(shape, n, 10_000)
    assert min(low, high) >= NATS[shape][2]


def test_the_same_prompt_twice_is_rarely_called_worse_or_better():
    rng = np.random.default_rng(3)
    called = {"better": 0, "worse": 0, "holds": 0, "not enough data": 0}
    for _ in range(500):
        called[verdict(bounds(list(rng.normal(0, 0.3, 40)), "unbounded"), 0.0)] += 1
    assert called["better"] <= 40  # 5 % and three standard errors
    assert called["worse"] <= 40


def test_a_loss_of_the_whole_margin_is_rarely_said_to_hold():
    rng = np.random.default_rng(5)
    draws = (list(rng.normal(-0.1, 0.2, 48)) for _ in range(500))
    held = sum(verdict(bounds(draw, "unbounded"), 0.1) == "holds" for draw in draws)
    assert held <= 40
    assert held >= 5


# Degenerate cases


@pytest.mark.parametrize("scale", SCALES)
def test_nothing_gives_no_bounds(scale):
    assert bounds([], scale) is None
    assert verdict(None, 0.05) == "not enough data"
    assert samples_needed([], margin=0.05, alpha=0.05, scale=scale) is None


def test_one_pair_says_almost_nothing():
    for scale in ("binary", "bounded"):
        found = bounds([0.0], scale)
        assert found.low < -0.9
        assert found.high > 0.9
    assert bounds([0.0] * (LEAST_UNBOUNDED - 1), "unbounded") is None
    assert bounds([0.0] * LEAST_UNBOUNDED, "unbounded") is not None


def test_equal_nats_still_have_the_measurements_noise():
    found = bounds([0.0] * 16, "unbounded")
    assert found.low == pytest.approx(-stats.t.ppf(0.95, 15) * 0.01 / 4)
    assert found.high == -found.low
    assert found.mean == 0.0


@pytest.mark.parametrize("scale", ["binary", "bounded"])
def test_all_rows_lost_is_worse(scale):
    found = bounds([-1.0] * 20, scale)
    assert found.low == pytest.approx(-1.0)
    assert -0.9 < found.high < -0.5
    assert verdict(found, 0.05) == "worse"
    assert samples_needed([-1.0] * 20, margin=0.05, alpha=0.05, scale=scale) is None
    assert verdict(bounds([1.0] * 20, scale), 0.05) == "better"


def test_verdicts_follow_the_contract():
    def of(low, high):
        return verdict(Bounds(0.0, low, high, 9, 9), 0.05)

    assert of(0.01, 0.2) == "better"
    assert of(0.0, 0.2) == of(-0.049, 0.2) == of(-0.04, -0.01) == "holds"
    assert of(-0.05, 0.2) == of(-0.2, -0.05) == "not enough data"
    assert of(-0.2, -0.051) == "worse"


def test_the_level_is_divided_among_the_candidates():
    assert adjusted_alpha(0.05, 10) == pytest.approx(0.005)
    assert adjusted_alpha(0.05, 0) == 0.05
    wide, narrow = (bounds([0.1, -0.1] * 20, "bounded", alpha=a) for a in (0.005, 0.05))
    assert wide.low < narrow.low


@pytest.mark.parametrize(
    ("differences", "options"),
    [
        ([math.nan], {}),
        ([1.5], {}),
        ([0.5], {"scale": "binary"}),
        ([math.inf], {"scale": "unbounded"}),
        ([0.0], {"alpha": 0.0}),
        ([0.0], {"alpha": 0.7}),
        ([0.0], {"clusters": ["a", "b"]}),
    ],
)
def test_impossible_input_is_refused(differences, options):
    with pytest.raises(ValueError):
        paired_bounds(differences, **{"alpha": 0.05, "scale": "bounded", **options})


# Clusters


@pytest.mark.parametrize("scale", SCALES)
def test_rows_without_clusters_are_their_own(scale):
    differences = [0.0, 1.0, -1.0, 0.0, 0.0, 1.0, 0.0]
    plain = bounds(differences, scale)
    assert bounds(differences, scale, clusters=[None] * 7) == plain
    assert bounds(differences, scale, clusters=list("abcdefg")) == plain


@pytest.mark.parametrize("scale", SCALES)
def test_a_copied_row_adds_nothing(scale):
    differences = [0.0, 1.0, -1.0, 0.0, 0.0, 1.0, 0.0]
    labels = list("abcdefg")
    once, twice = bounds(differences, scale), bounds(differences * 2, scale, clusters=labels * 2)
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))
    assert (twice.n, twice.units) == (14, 7)


def test_a_cluster_that_half_loses_counts_as_lost_in_one_bound_only():
    mixed_pair = bounds([-1.0, 0.0] + [0.0] * 20, "binary", clusters=["a", "a"] + [None] * 20)
    assert mixed_pair.low == exact_low(0, 1, 21, 0.05)
    assert mixed_pair.high == -exact_low(0, 0, 21, 0.05)
    assert mixed_pair.mean == pytest.approx(-0.5 / 21)


def test_large_binary_clusters_are_bounded_by_their_means():
    differences = [-1.0, 0.0, 0.0, 0.0] * 8
    labels = [label for label in "abcdefgh" for _ in range(4)]
    found = bounds(differences, "binary", clusters=labels)
    assert found.low == pytest.approx(betting_low([-0.25] * 8, 0.05))


# Samples needed


def test_the_rule_of_no_row_lost_gives_the_samples_needed():
    for margin in (0.05, 0.1, 0.2):
        least = math.ceil(math.log(0.05) / math.log(1 - margin))
        found = samples_needed([0.0] * 12, margin=margin, alpha=0.05, scale="binary")
        assert found == least
        assert verdict(bounds([0.0] * found, "binary"), margin) == "holds"
        assert verdict(bounds([0.0] * (found - 1), "binary"), margin) == "not enough data"


@pytest.mark.parametrize("scale", ["bounded", "unbounded"])
def test_that_many_samples_of_the_same_kind_decide(scale):
    seen = [-0.3, 0.2, 0.0, 0.1, -0.2, 0.05, 0.1, -0.05]
    found = samples_needed(seen, margin=0.05, alpha=0.05, scale=scale)
    repeated = seen * math.ceil(found / len(seen))
    assert found > len(seen)
    assert verdict(bounds(repeated, scale), 0.05) == "holds"
    assert verdict(bounds(repeated[: found // 16 * 8], scale), 0.05) == "not enough data"


def test_a_mean_at_the_margin_needs_no_more_samples():
    for scale in ("bounded", "unbounded"):
        found = samples_needed([-0.05, -0.06] * 5, margin=0.05, alpha=0.05, scale=scale)
        assert found is None


def test_clusters_are_counted_in_rows():
    differences, labels = [0.0] * 20, [str(index // 2) for index in range(20)]
    found = samples_needed(differences, margin=0.05, alpha=0.05, scale="binary", clusters=labels)
    assert found == 118


small = st.sampled_from([-1.0, 0.0, 0.0, 0.0, 1.0])


@settings(max_examples=60, deadline=None)
@given(st.lists(small, min_size=1, max_size=40), st.sampled_from(SCALES), st.floats(0.02, 0.3))
def test_undecided_sets_need_more_and_decided_ones_do_not(differences, scale, margin):
    found = bounds(differences, scale)
    needed = samples_needed(differences, margin=margin, alpha=0.05, scale=scale)
    mean = sum(differences) / len(differences)
    if found is not None:
        assert found.low <= found.mean <= found.high
    if mean <= -margin:
        assert needed is None
    elif needed is not None and found is not None:
        assert (needed <= len(differences)) == (found.low > -margin)


@settings(max_examples=40, deadline=None)
@given(st.lists(small, min_size=5, max_size=30), st.sampled_from(SCALES))
def test_bounds_are_symmetric_and_blind_to_order(differences, scale):
    found = bounds(differences, scale)
    mirrored = bounds([-value for value in reversed(differences)], scale)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 8), st.integers(0, 8), st.integers(17, 60))
def test_a_row_gained_raises_the_bound_and_a_row_lost_lowers_it(gained, lost, n):
    here, step = exact_low(gained, lost, n, 0.05), 2e-5  # the bisection's last step
    assert exact_low(gained + 1, lost, n, 0.05) >= here - step
    assert exact_low(gained, lost + 1, n, 0.05) <= here + step


def test_the_exact_and_the_score_bound_meet():
    for gained, lost in ((0, 0), (2, 2), (5, 8), (20, 20)):
        exact = binary_low(gained, lost, EXACT_LIMIT, 0.05)
        score = float(limit(score_statistic, gained, lost, EXACT_LIMIT, 0.05))
        assert exact == pytest.approx(score, abs=0.012)
