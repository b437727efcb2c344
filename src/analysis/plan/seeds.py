"""Seeds derived from names, so that what is random is the same on every machine and in any order."""

import hashlib

import numpy as np


def rng(*names: object) -> np.random.Generator:
    """Return a random generator that depends on `names` alone, e.g. ``rng("northbank", "permutation")``."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
