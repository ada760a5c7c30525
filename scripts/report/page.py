"""The page as one file: the data as JSON, the library, the styles and the script inside it."""

import base64
import bisect
import hashlib
import itertools
from dataclasses import replace
from importlib import resources
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scripts.report.facts import App, Facts

FOLDER = Path(__file__).parent
LARGEST_DATA = 3_500_000  # bytes of all apps: with the library, the page stays below 5 MB
# Chart.js draws on a canvas: no text becomes markup on its way to the screen.
CHART_JS = resources.files("chartkick") / "django/static/chartkick/Chart.bundle.js"
# Inside a script element, none of these may begin anything.
ESCAPES = str.maketrans(
    {char: f"\\u{ord(char):04x}" for char in ("<", ">", "&", "\u2028", "\u2029")}
)


def render(facts: Facts) -> str:
    """Write the page. What a browser may run is named by its hash, and nothing else is."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    script = (FOLDER / "page.js").read_text(encoding="utf-8")
    library = CHART_JS.read_text(encoding="utf-8")
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none';"
        f" style-src {_hash(style)}; script-src {_hash(library)} {_hash(script)}"
    )
    return environment.get_template("page.html.j2").render(
        policy=policy, style=style, library=library, script=script, data=embedded(fitting(facts))
    )


def fitting(facts: Facts) -> Facts:
    """Keep the first apps, as many as the page has room for; it tells how many there are."""
    sizes = itertools.accumulate(len(embedded(app).encode()) for app in facts.apps)
    return replace(facts, apps=facts.apps[: max(1, bisect.bisect(list(sizes), LARGEST_DATA))])


def embedded(facts: Facts | App) -> str:
    """Write the data as JSON that may stand inside a script element."""
    return msgspec.json.encode(facts).decode().translate(ESCAPES)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
