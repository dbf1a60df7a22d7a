"""matplotlib figures as inline SVG and as PNG. Nothing of matplotlib's global state stays changed."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK = "#2a2e35"
"""Text and axes: as it is in a PNG, the page's own colour in a page."""

FAINT = "#8a8f98"
"""Grid lines; seen on light and on dark."""

_STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "white",
    "font.family": "sans-serif",
    "font.size": 10,
    "grid.alpha": 0.3,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
}

_PIXELS_PER_INCH = 144


@contextmanager
def house_style() -> Iterator[None]:
    """The look of all figures; they are built and written inside. Names may hold any letters."""
    with rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def png(figure: Figure) -> bytes:
    """A figure on white."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(
        buffer, format="png", dpi=_PIXELS_PER_INCH, metadata={"Software": None}
    )
    return buffer.getvalue()


def svg(figure: Figure, *, prefix: str, title: str) -> str:
    """A figure as an `<svg>` element that stands in a page among others.

    Args:
        prefix: sets the element's ids apart from those of others.
        title: for who can't see it; plain text.
    """
    buffer = io.BytesIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    FigureCanvasSVG(figure).print_figure(
        buffer, format="svg", metadata=nothing, facecolor="none", edgecolor="none"
    )
    text = buffer.getvalue().decode()
    return _own_ids(_plain(text[text.index("<svg") :], title), prefix)


def _plain(text: str, title: str) -> str:
    """Without namespaces, size and metadata; text in the page's colour."""
    from html import escape

    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    head, body = text.split(">", 1)
    box = re.search(r'viewBox="([^"]*)"', head)
    assert box is not None
    head = f'<svg class="chart" role="img" aria-label="{escape(title)}" viewBox="{box[1]}"'
    body = body.replace("xlink:href", "href").replace(INK, "currentColor")
    return f"{head}>{body}".strip()


def _own_ids(text: str, prefix: str) -> str:
    """Keep the ids that something refers to, with a prefix; drop the others."""
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))

    def renamed(match: re.Match[str]) -> str:
        return f' id="{prefix}-{match[1]}"' if match[1] in used else ""

    text = re.sub(r' id="([^"]+)"', renamed, text)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", text)
