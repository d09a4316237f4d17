"""What "Show the code" prints: a short script that runs as it is."""

from __future__ import annotations

from collections.abc import Iterable

LOAD, NOISE, TORCH = ("gen_core", "load"), ("gen_core", "Noise"), ("torch", "")
"""What most of them need."""


def script(needs: Iterable[tuple[str, str]], *body: str) -> str:
    """The body below its imports, (module, name) pairs; "" for the module itself."""
    modules: dict[str, set[str]] = {}
    for module, name in needs:
        modules.setdefault(module, set()).add(name)
    imports = [
        f"import {module}" if names == {""} else f"from {module} import {', '.join(sorted(names))}"
        for module, names in sorted(modules.items(), key=lambda item: (item[1] != {""}, item[0]))
    ]
    return "\n".join([*imports, "", *body])
