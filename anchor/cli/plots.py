"""Plots of a registry's history: SVG files without text, script or request, alike on every machine.

Drawn by matplotlib, which the extra `report` brings. Each kind of thing has a colour that colour-blind people tell from
the others (Okabe and Ito, 2008) and a hatching, dark on what is light, for paper in black and white. Whoever
shows a plot also shows its numbers.
"""

from __future__ import annotations

import io
import logging
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from anchor.activity import Timeline
from anchor.errors import MalformedError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK: Final = "#1c2430"
_FAINT: Final = "#d5dae1"
_STYLES: Final[dict[str, dict[str, Any]]] = {
    "batchAnchored": {"color": "#0072b2", "hatch": "", "edgecolor": "white"},
    "credentialsRevoked": {"color": "#d55e00", "hatch": "", "edgecolor": "white"},
    "batchRevoked": {"color": "#a03c00", "hatch": "xxx", "edgecolor": "white"},
    "credentialsSuspended": {"color": "#e69f00", "hatch": "///", "edgecolor": _INK, "linewidth": 0},
    "credentialsReinstated": {"color": "#56b4e9", "hatch": "...", "edgecolor": _INK, "linewidth": 0},
    "anchor": {"color": "#0072b2", "hatch": "", "edgecolor": "white"},
    "status": {"color": "#009e73", "hatch": "///", "edgecolor": "white"},
    "compromised": {"color": "#d55e00", "hatch": "xxx", "edgecolor": "white"},
    "exact": {"color": "#0072b2", "hatch": "", "edgecolor": "white"},
    "estimated": {"color": "#e69f00", "hatch": "///", "edgecolor": _INK, "linewidth": 0},
}
_UNITS: Final = {"minute": "%m-%d %H:%M", "hour": "%m-%d %H:00", "day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}
_WIDTH: Final = 8.4
"""Inches; a page of A4 between its margins is 7.5."""
_MAX_TICKS: Final = 12
_DELAY_DAYS: Final = (1, 7, 30, 90, 365, 3 * 365)
"""Where the classes of delays end, in days."""

Say = Callable[[str], str]
"""Words for the name of a thing that is drawn, in the reader's language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyBar:
    """One key, to be drawn as a bar from its start to its end."""

    label: str
    scope: str
    """anchor or status."""
    starts: int
    ends: int
    """When it ended; or the last second that is drawn. Unix seconds."""
    compromised_at: int | None
    """Since when what it did is void."""


def data_address(svg: bytes) -> str:
    """Give a plot as an address for an `img` element: nothing is loaded, and the page's own styles do not reach it."""
    return f"data:image/svg+xml;base64,{b64encode(svg).decode()}"


def activity_plot(timeline: Timeline, say: Say, number: Callable[[int], str]) -> bytes:
    """Draw what was issued, and below it what changed status, over time.

    Args:
        timeline: At least one period.
        say: Words for kinds of event, as in `Event.kind`, and for `credentials`.
        number: Writes numbers as the reader's language does.

    Returns:
        An SVG file.

    Raises:
        MalformedError: The plotting library is not installed.
    """
    figure = _figure(3.9)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    places = range(len(timeline.starts))
    _bars(above, timeline, ("batchAnchored",), say)
    _bars(below, timeline, ("batchRevoked", "credentialsRevoked", "credentialsSuspended", "credentialsReinstated"), say)
    for axes in (above, below):
        _plain(axes, number)
        axes.set_ylabel(say("credentials"))
    every = -(-len(timeline.starts) // _MAX_TICKS)
    labels = [period_label(timeline.unit, start) for start in timeline.starts]
    below.set_xticks(
        list(places)[::every],
        labels[::every],
        rotation=30 if len(labels) > 4 else 0,
        ha="right" if len(labels) > 4 else "center",
    )
    below.set_xlim(-0.75, max(len(labels), 8) - 0.25)
    return _svg(figure)


def period_label(unit: str, start: int) -> str:
    """Name a period of a timeline by its start, in UTC."""
    try:
        return datetime.fromtimestamp(start, UTC).strftime(_UNITS[unit])
    except (ValueError, OverflowError, OSError):
        return str(start)


def bars_plot(rows: Mapping[str, int], kind: str, number: Callable[[int], str]) -> bytes:
    """Draw one horizontal bar for each of a few named numbers, the first one on top.

    Args:
        rows: Numbers by name; at least one.
        kind: The kind of event that they are of, for the colour.
        number: Writes numbers.
    """
    figure = _figure(0.6 + 0.34 * len(rows))
    axes = figure.subplots()
    bars = axes.barh(range(len(rows)), list(rows.values()), height=0.62, **_STYLES[kind])
    axes.bar_label(bars, labels=[number(count) for count in rows.values()], padding=4, fontsize=9, color=_INK)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.invert_yaxis()
    axes.set_xlim(0, max(*rows.values(), 1) * 1.12)
    axes.xaxis.set_visible(False)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    return _svg(figure)


def keys_plot(bars: Sequence[KeyBar], say: Say) -> bytes:
    """Draw from when to when keys were good, and since when some are compromised.

    Args:
        bars: At least one; the first one is on top.
        say: Words for `anchor`, `status` and `compromised`.
    """
    figure = _figure(1.0 + 0.3 * len(bars))
    axes = figure.subplots()
    first, last = min(bar.starts for bar in bars), max(bar.ends for bar in bars)
    least = max((last - first) / 200, 1)
    seen = set()
    for place, bar in enumerate(bars):
        parts = [(bar.scope, bar.starts, bar.ends)]
        if bar.compromised_at is not None:
            since = max(min(bar.compromised_at, bar.ends), bar.starts)
            parts = [(bar.scope, bar.starts, since), ("compromised", since, bar.ends)]
        for kind, start, end in parts:
            label = None if kind in seen else say(kind)
            seen.add(kind)
            axes.barh(place, max(end - start, least), left=start, height=0.55, label=label, **_STYLES[kind])
    axes.set_yticks(range(len(bars)), [bar.label for bar in bars], family="monospace")
    axes.invert_yaxis()
    unit = "minute" if last - first <= 4 * 86_400 else "day"
    ticks = [first + (last - first) * part // 4 for part in range(5)] if last > first else [first]
    axes.set_xticks(ticks, [period_label(unit, tick) for tick in ticks])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="x", color=_FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=9, borderaxespad=0.2)
    return _svg(figure)


def delay_classes(days: Mapping[int, int]) -> tuple[int, ...]:
    """Sum up delays by classes: below 1 day, 7, 30, 90 days, 1 year, 3 years, and longer."""
    sums = [0] * (len(_DELAY_DAYS) + 1)
    for each, count in days.items():
        sums[sum(each >= limit for limit in _DELAY_DAYS)] += count
    return tuple(sums)


DELAY_NAMES: Final = ("day", "week", "month", "quarter", "year", "three_years", "longer")
"""Names of the classes of `delay_classes`, in order."""


def delay_plot(exact: Sequence[int], estimated: Sequence[int], say: Say, number: Callable[[int], str]) -> bytes:
    """Draw how many credentials stood how long before they were revoked.

    Args:
        exact: By class, of those of which the chain says it.
        estimated: Likewise, of the others.
        say: Words for `exact`, `estimated`, `credentials`, and each of `DELAY_NAMES` with `delay_` before it.
        number: Writes numbers.
    """
    figure = _figure(2.4)
    axes = figure.subplots()
    places = range(len(exact))
    axes.bar(places, exact, width=0.7, label=say("exact"), **_STYLES["exact"])
    axes.bar(places, estimated, width=0.7, bottom=exact, label=say("estimated"), **_STYLES["estimated"])
    axes.set_xticks(places, [say(f"delay_{name}") for name in DELAY_NAMES])
    axes.set_ylabel(say("credentials"))
    _plain(axes, number)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize=9, borderaxespad=0.2)
    return _svg(figure)


def _bars(axes: Axes, timeline: Timeline, kinds: Sequence[str], say: Say) -> None:
    places = range(len(timeline.starts))
    bottom = [0] * len(places)
    for kind in kinds:
        heights = timeline.credentials.get(kind)
        if heights is None or not any(heights):
            continue
        axes.bar(places, heights, width=0.8, bottom=bottom, label=say(kind), **_STYLES[kind])
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    if any(bottom):
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, frameon=False, fontsize=9, borderaxespad=0.2)


def _plain(axes: Axes, number: Callable[[int], str]) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(round(value))))
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="y", color=_FAINT, linewidth=0.8)
    axes.set_axisbelow(True)


def require_plots() -> None:
    """Check that plots can be drawn.

    Raises:
        MalformedError: The plotting library is not installed.
    """
    if find_spec("matplotlib") is None:
        raise MalformedError(
            "plots need matplotlib, which is not installed", advice="Run: pip install 'credanchor[report]'"
        )


def _figure(height: float) -> Figure:
    require_plots()
    from matplotlib.figure import Figure

    return Figure(figsize=(_WIDTH, height), layout="constrained")


def _svg(figure: Figure) -> bytes:
    from matplotlib import rc_context

    # It warns of fonts and of folders that it cannot write to; neither changes a plot.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    out = io.BytesIO()
    with rc_context(
        {"svg.fonttype": "path", "svg.hashsalt": "credanchor", "hatch.linewidth": 0.6, "hatch.color": "white"}
    ):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return out.getvalue()
