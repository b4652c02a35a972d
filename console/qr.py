"""A link as a QR code: vector, black on white, readable across a hall."""

from __future__ import annotations

import html
import io

import segno
from markupsafe import Markup


def qr_svg(address: str, *, label: str) -> Markup:
    """The code as inline SVG with a text for who cannot see it; middle error correction survives a bad projector."""
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        drawn, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, dark="#000", light="#fff"
    )
    svg = drawn.getvalue().decode()
    return Markup(svg.replace("<svg ", f'<svg role="img" aria-label="{html.escape(label)}" ', 1))
