"""As much of SVG as the picture needs: texts, and one path for all shapes of a kind, so that the file stays small."""

from __future__ import annotations

from xml.sax.saxutils import escape

# Mid-tones that are read on white and on black; where the reader's preference is known they come closer to it.
_STYLE = """
text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#6e7781}
.h{font-size:15px;font-weight:600}.s{font-size:11px}.e{text-anchor:end}.m{text-anchor:middle}
path{fill:none;stroke-width:1.5}
.stretch{fill:#1f883d;stroke:none}.holds{fill:#3fa7d6;stroke:none}.missed{fill:#d1642a;stroke:none}
.ours{fill:#3fa7d6;stroke:none}.others{fill:#8c959f;stroke:none}
.line{stroke:#3fa7d6;stroke-width:2}.dots{fill:#3fa7d6;stroke:none}
.axis{stroke:#8c959f;stroke-opacity:.6;stroke-width:1}.must{stroke:#6e7781}.aim{stroke:#1f883d;stroke-dasharray:2 2}
@media(prefers-color-scheme:dark){text{fill:#9aa4af}.must{stroke:#9aa4af}.stretch{fill:#3fb950}.aim{stroke:#3fb950}}
"""


def number(value: float) -> str:
    """A coordinate, as short as it can be."""
    return f"{value:.1f}".removesuffix(".0").replace("-0", "0" if abs(value) < 0.05 else "-0")


class Drawing:
    """What is drawn from top to bottom; `top` is how far it has come."""

    def __init__(self, width: int, title: str, description: str) -> None:
        """Nothing is drawn yet."""
        self.top = 0.0
        self._width = width
        self._title = title
        self._description = description
        self._texts: list[str] = []
        self._paths: dict[str, list[str]] = {}

    def down(self, by: float) -> float:
        """Go down; where that is."""
        self.top += by
        return self.top

    def put(self, x: float, y: float, words: str, kind: str = "") -> None:
        """A text at its baseline; `kind` names classes: `h`eading, `s`mall, `e`nding or in the `m`iddle there."""
        classes = f' class="{kind}"' if kind else ""
        self._texts.append(f'<text x="{number(x)}" y="{number(y)}"{classes}>{escape(words)}</text>')

    def box(self, kind: str, x: float, y: float, width: float, height: float) -> None:
        """A rectangle."""
        across = number(width)
        self._draw(kind, f"M{number(x)} {number(y)}h{across}v{number(height)}h{number(-width)}z")

    def line(self, kind: str, *points: tuple[float, float]) -> None:
        """A line through points."""
        self._draw(kind, "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points))

    def dot(self, kind: str, x: float, y: float, radius: float = 3) -> None:
        """A round mark."""
        r, d = number(radius), number(2 * radius)
        self._draw(kind, f"M{number(x - radius)} {number(y)}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0")

    def _draw(self, kind: str, path: str) -> None:
        self._paths.setdefault(kind, []).append(path)

    def __str__(self) -> str:
        width, height = self._width, number(self.top + 10)
        size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        paths = [f'<path class="{kind}" d="{"".join(each)}"/>' for kind, each in sorted(self._paths.items())]
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
                f"<title>{escape(self._title)}</title><desc>{escape(self._description)}</desc>",
                f"<style>{_STYLE}</style>",
                *paths,
                *self._texts,
                "</svg>\n",
            ]
        )
