"""The walls of the house: app -> demos -> gen_core, without circles, and nothing heavy before it is
needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = {
    "gen_core": {"gradio", "demos", "app", "matplotlib", "pickle"},
    "demos": {"app", "pickle"},
}
HEAVY = {"diffusers", "transformers", "matplotlib", "scipy", "torchvision"}


def imported(path: Path) -> set[str]:
    """Top-level names of all packages a file imports, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_import_goes_through_a_wall(package):
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in (ROOT / package).rglob("*.py")
        for name in imported(path) & FORBIDDEN[package]
    }
    assert found == set()


def modules_imported(path: Path) -> set[str]:
    """Full names of all modules a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize(("room", "discovery"), [("widgets", set()), ("page", {"tab.py"})])
def test_only_discovery_knows_that_there_are_tabs(room, discovery):
    """What several tabs use takes what it needs as arguments; the page finds tabs by folder."""
    found = {
        path.name
        for path in (ROOT / "demos" / room).rglob("*.py")
        if any(name.startswith(("demos.tabs", "demos.sampling")) for name in modules_imported(path))
    }
    assert found == discovery


def test_networks_know_torch_and_each_other_alone():
    """How many classes or attributes there are comes to them as an argument."""
    allowed = {*sys.stdlib_module_names, "torch"}
    found = {
        (path.name, name)
        for path in (ROOT / "gen_core" / "nets").glob("*.py")
        for name in modules_imported(path)
        if name.split(".")[0] not in allowed and not name.startswith("gen_core.nets")
    }
    assert found == set()


def test_what_portraits_have_is_read_from_their_schema():
    """Conditions, heads, families and classifiers work for whatever data set has attributes."""
    core = ROOT / "gen_core"
    general = [core / "conditions.py", core / "family.py", *(core / "families").glob("*.py")]
    general += [core / "classifiers" / "attributes.py", *(core / "training").glob("*.py")]
    assert len(general) > 10
    found = {
        (path.name, name)
        for path in general
        for name in modules_imported(path)
        if name.startswith("gen_core.data.avatars")
    }
    assert found == set()


def modules() -> dict[str, Path]:
    """Files of ours by the names that they are imported by."""
    files = [path for package in FORBIDDEN for path in (ROOT / package).rglob("*.py")]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]
    return {name.removesuffix(".__init__"): path for name, path in zip(names, files, strict=True)}


def imports_at_the_top(node: ast.AST) -> Iterator[str]:
    """Dotted names that are imported as soon as the file is: not those inside of functions, nor
    those for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom) and child.module:
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imports_at_the_top(child)


def test_imports_go_in_no_circle():
    known = modules()
    needs: dict[str, set[str]] = {}
    for name, path in known.items():
        found = imports_at_the_top(ast.parse(path.read_text(encoding="utf-8")))
        owners = {full if full in known else full.rpartition(".")[0] for full in found}
        needs[name] = owners & known.keys() - {name}
    assert len(list(TopologicalSorter(needs).static_order())) == len(known)  # else: CycleError


def test_the_top_of_the_core_fits_in_a_head():
    assert len([path for path in (ROOT / "gen_core").iterdir() if path.is_file()]) <= 12


@pytest.mark.heavy
def test_nothing_heavy_is_imported_at_the_start():
    told = f"print(*sorted(m for m in {HEAVY!r} if m in sys.modules), flush=True)"
    pages = "import demos.page.shell, demos.page.tab; demos.page.tab.discover()"
    program = f"import sys; import gen_core; {told}; {pages}; {told}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["", ""], "of the library, of the pages"


def test_files_fit_in_a_head():
    sources = [
        p
        for d in ("gen_core", "demos")
        for e in ("py", "js", "css")
        for p in (ROOT / d).rglob(f"*.{e}")
    ]
    long = {str(p.relative_to(ROOT)): n for p in sources if (n := p.read_text().count("\n")) > 500}
    assert long == {}


def test_python_carries_no_style_sheets_or_scripts():
    """JavaScript and CSS live in files of their own."""
    marks = ("addEventListener(", "document.querySelector", "@media (")
    found = [
        str(p.relative_to(ROOT))
        for p in (ROOT / "demos").rglob("*.py")
        if any(m in p.read_text() for m in marks)
    ]
    assert found == []
