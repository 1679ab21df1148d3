"""Bar charts as an SVG for light and dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from .goals import amount

WIDTH, LINE, BAR, LABELS = 760, 26, 16, 330  # pixels
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.ours { fill: #1a7f5a } .bound { fill: #8c959f } .peer { fill: #b3652a }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .ours { fill: #3fb68b } .bound { fill: #6e7681 } .peer { fill: #d98a4b }
}
"""


@dataclass(frozen=True)
class Bar:
    """A bar. `kind` is ours, peer, or bound (a limit of all implementations)."""

    name: str
    value: float
    kind: str


@dataclass(frozen=True)
class Chart:
    title: str
    unit: str
    bars: Sequence[Bar]


def draw(charts: Sequence[Chart]) -> str:
    """Return one SVG document with all charts."""
    parts: list[str] = []
    top = 0
    for chart in charts:
        parts.append(_text(0, top + 18, chart.title, "title"))
        top += LINE + 4
        longest = max(bar.value for bar in chart.bars)
        for bar in chart.bars:
            width = max(1, round((WIDTH - LABELS - 90) * bar.value / longest))
            parts.append(_text(LABELS - 8, top + 13, bar.name, anchor="end"))
            parts.append(
                f'<rect class="{bar.kind}" x="{LABELS}" y="{top}" '
                f'width="{width}" height="{BAR}" rx="2"/>'
            )
            parts.append(_text(LABELS + width + 6, top + 13, amount(bar.value, chart.unit)))
            top += LINE
        top += LINE
    title = escape(", ".join(chart.title for chart in charts))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" '
        f'height="{top}" role="img"><title>{title}</title><style>{_STYLE}</style>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _text(x: int, y: int, text: str, kind: str = "", anchor: str = "start") -> str:
    name = f' class="{kind}"' if kind else ""
    return f'<text{name} x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
