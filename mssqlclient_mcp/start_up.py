"""A quick start: no garbage is looked for while modules are loaded, and what they made is never looked through again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """For a block that imports and builds. Nearly all it makes lives as long as the process, so that the collector would go
    through it in vain: meanwhile, and, as it only grows, at each full collection later on (see ``gc.freeze``)."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
