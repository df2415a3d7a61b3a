"""How Sphinx builds the site: ``make docs``. Nothing is fetched."""

from __future__ import annotations

import sys
from pathlib import Path

from dramatiq_baton import __version__

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "dramatiq-baton"
author = project
project_copyright = "MIT licence"
version = release = __version__

extensions = ["sphinx.ext.autodoc", "myst_parser", "command_line", "docstrings"]
exclude_patterns = ["extensions"]

# Texts, in Markdown.
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Docstrings.
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autoclass_content = "class"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100

# Other packages' documentation isn't asked for, so what is theirs leads nowhere.
nitpick_ignore_regex = [
    (r"py:.*", r"(collections|contextlib|dramatiq|datetime|decimal|redis|opentelemetry|typing|asyncio)\..*"),
    (
        r"py:class",
        r"CollectorRegistry|Decimal|(dramatiq_baton\.[\w.]+\.)?([A-Z]|Synthesize)",
    ),  # type variables, and what is for mypy
]

html_theme = "furo"
html_title = f"dramatiq-baton {version}"
html_copy_source = False
html_show_sphinx = False
