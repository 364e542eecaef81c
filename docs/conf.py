"""Configuration of the documentation site; `make docs` builds it.

Pages are Markdown (MyST). Those below `generated/` are written by `_ext/ferdata_docs` from the
program's own data at the start of each build, and are not committed.
"""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS / "_ext"), str(DOCS.parent)]

from ferdata.core.version import __version__  # noqa: E402 - after the path

project = "ferdata"
author = "The ferdata authors"
copyright = author
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.doctest",
    "myst_nb",
    "sphinx_copybutton",
    "ferdata_docs",
]
exclude_patterns = ["_ext", "generated/pictures", "generated/parts"]

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "fieldlist", "tasklist"]
myst_heading_anchors = 4
nb_execution_mode = "off"  # notebooks are stored with their outputs; a test runs them
nb_merge_streams = True
smartquotes = False  # `--data` stays two hyphens

# In our docstrings single backticks are code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_inherit_docstrings = False
autodoc_preserve_defaults = True
autodoc_type_aliases = {"Given": "Given"}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

nitpicky = True
# Only our own names can be resolved: other projects' inventories are on the network.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!ferdata).*"),
    # parts of records, whose fields are in tables of reference/formats.md, and lists of words
    (r"py:class", r"ferdata\.(shards\.record|runs\.record|models\.spec)\..*"),
    (r"py:class", r"ferdata\.(faces\.set_alignment|synth\.identity)\..*"),
]

html_theme = "furo"
html_title = "ferdata"
html_static_path = ["_static"]
html_css_files = ["ferdata.css"]
html_copy_source = False
html_theme_options = {"navigation_with_keys": False}
html_domain_indices = False
copybutton_exclude = ".linenos, .gp, .go, .c1"  # a copied command comes without its remark

doctest_test_doctest_blocks = "default"
linkcheck_timeout = 10
linkcheck_retries = 2
