"""nbformat, imported without what it takes two seconds to import and no notebook needs.

nbformat imports jsonschema, which imports rfc3987-syntax where it is installed, and that reads the whole grammar of
international web addresses. No field of a notebook is such an address.
"""

import sys

GRAMMAR = "rfc3987_syntax"
_found = sys.modules.get(GRAMMAR)
# A module that is None cannot be imported; jsonschema then checks addresses no further.
sys.modules[GRAMMAR] = None  # type: ignore[assignment]
try:
    import nbformat
finally:
    if _found is None:
        del sys.modules[GRAMMAR]
    else:
        sys.modules[GRAMMAR] = _found

__all__ = ["nbformat"]
