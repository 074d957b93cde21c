"""The exact one-sided upper limit of a deviation rate, in plain Python so that an offline check can repeat it.

Source: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
binomial", Biometrika 26 (1934): the rate at which seeing this few deviations has a chance of 5 %.
"""

from __future__ import annotations

from math import exp, fsum, lgamma, log, log1p

CONFIDENCE = 0.95


def upper_limit_95(deviations: int | None, judged: int | None) -> float | None:
    """The one-sided 95 % upper limit of the deviation rate, rounded to six decimals.

    `judged` counts the operations that either operated or deviated. None where nothing was judged.
    """
    if not judged or deviations is None:
        return None
    if deviations >= judged:
        return 1.0
    low, high = deviations / judged, 1.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        if _chance_of_at_most(deviations, judged, middle) > 1 - CONFIDENCE:
            low = middle
        else:
            high = middle
    return round((low + high) / 2, 6)


def _chance_of_at_most(deviations: int, judged: int, rate: float) -> float:
    """P(X <= deviations) for X ~ Binomial(judged, rate), 0 < rate < 1; summed in logarithms."""
    log_rate, log_rest = log(rate), log1p(-rate)
    whole = lgamma(judged + 1)
    # Terms fall off quickly below the largest one: stop when they can't be seen in a double any more.
    terms: list[float] = []
    for count in range(deviations, -1, -1):
        term = exp(
            whole - lgamma(count + 1) - lgamma(judged - count + 1) + count * log_rate + (judged - count) * log_rest
        )
        terms.append(term)
        if count < judged * rate and term < terms[0] * 1e-17:
            break
    return fsum(terms)
