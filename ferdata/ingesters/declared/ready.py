"""Ready declarations: sets that ship with ferdata as a YAML file and need no reader of their own.

They are `manifests/declarations/NAME.yaml`, with sources in comments.
"""

from __future__ import annotations

from functools import cache

from ferdata.core.yaml_files import load_named
from ferdata.ingesters.declared.declaration import Declaration
from ferdata.ingesters.info import DECLARATIONS


@cache
def ready_declaration(name: str) -> Declaration:
    """Return a declaration that ships with ferdata.

    Raises:
        UnknownNameError: There is no such declaration.
    """
    return load_named("declared set", DECLARATIONS, name, Declaration)
