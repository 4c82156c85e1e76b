"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Mapping

from scoring.features.catalogue import ACTORS, BEHAVIOURAL, FIRMOGRAPHIC, GRAPH, TEMPORAL
from scoring.metrics.rates import Rate, Share, not_enough

NB = "\N{NO-BREAK SPACE}"

LABELS = {f.name: f.label for f in (*BEHAVIOURAL, *TEMPORAL, *GRAPH, *ACTORS, *FIRMOGRAPHIC)}

CODES = {
    "new": "New to you",
    "rare": "Rare for you",
    "number": "Out of the ordinary",
    "pair": "Odd combination",
}

SIZES = {"smb": "SMB", "mid_market": "Mid-market", "enterprise": "Enterprise", "unknown": "Size unknown"}

CHARACTERISTICS = {"size_band": "Size", "function": "Job function", "source": "Source"}


def percent(value: float | None, digits: int = 0) -> str:
    """0.123 -> 12 %; small shares keep a digit, so that a true 0.4 % is no 0 %."""
    if value is None:
        return "unknown"
    if not digits and 0 < abs(value) < 0.095:
        digits = 1
    return f"{100 * value:.{digits}f}{NB}%"


def between(low: float | None, high: float | None) -> str:
    return f"likely {percent(low)} to {percent(high)}"


def count(n: float, one: str, many: str | None = None) -> str:
    """3 leads; 1 lead."""
    return f"{n:,.0f}{NB}{one if n == 1 else many or one + 's'}"


def money(amount: float | None, currency: str) -> str:
    """USD 1.2M: three digits are as much as an estimate can bear."""
    if amount is None:
        return "unknown"
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if abs(amount) >= size:
            scaled = amount / size
            return (
                f"{currency}{NB}{scaled:.1f}{letter}"
                if scaled < 10
                else f"{currency}{NB}{scaled:.0f}{letter}"
            )
    return f"{currency}{NB}{amount:.0f}"


def rate_text(rate: Rate | Share, what: str = "") -> str:
    """The numbers beside a drawn rate: value, likely range, n."""
    if rate.value is None:
        return not_enough(rate.n, rate.needed)
    n = f"{rate.hits:,} of {rate.n:,}" if isinstance(rate, Rate) else f"{rate.n:,}"
    return f"{percent(rate.value)}, {between(rate.low, rate.high)} ({n}{' ' + what if what else ''})"


def flag(code: str) -> str:
    """ "new:industry" -> New to you: industry."""
    kind, _, features = code.partition(":")
    names = " with ".join(feature(name) for name in features.split("+") if name)
    words = CODES.get(kind, kind.replace("_", " ").capitalize())
    return f"{words}: {names}" if names else words


OUT_OF_FOLD = "on its own training leads, out of fold"


def unseen_leads(mode: str) -> str:
    """The leads of a backtest: those that came in last, or where there are no times some drawn by lot."""
    return "unseen leads" if mode == "snapshot" else "later, unseen leads"


def label(name: str, own: Mapping[str, str]) -> str:
    """A feature's label. `own`: those of the org's own fields."""
    return own.get(name) or LABELS.get(name, name.replace("_", " ").capitalize())


def feature(name: str) -> str:
    label = LABELS.get(name, name.replace("_", " "))
    return label[0].lower() + label[1:]


def characteristic(name: str, value: str) -> str:
    """("size_band", "smb") -> Size: SMB."""
    title = CHARACTERISTICS.get(name, name.replace("_", " ").capitalize())
    return f"{title}: {SIZES.get(value, value)}"
