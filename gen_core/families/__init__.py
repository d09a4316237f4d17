"""One file per family. Each one found is imported, and so registers itself: those of this folder,
those of the folders that $GEN_FAMILIES names, and those that installed packages offer as entry
points of the group "gen_core.families"."""

import importlib
import importlib.util
import os
import pkgutil
import sys
from importlib.metadata import entry_points
from pathlib import Path

from gen_core import classifiers


def _import_file(path: Path) -> None:
    """Imports a file from outside of the package, once."""
    name = f"{__name__}.outside.{path.stem}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look for the module they stand in
    spec.loader.exec_module(module)


def discover() -> None:
    """Imports every family that can be found, and the classifiers. Called once all else can be
    imported."""
    for package in (__name__, classifiers.__name__):
        for module in pkgutil.iter_modules(sys.modules[package].__path__):
            importlib.import_module(f"{package}.{module.name}")
    for folder in filter(None, os.environ.get("GEN_FAMILIES", "").split(os.pathsep)):
        for path in sorted(Path(folder).glob("*.py")):
            _import_file(path)
    for entry in entry_points(group=__name__):
        entry.load()
