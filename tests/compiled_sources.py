"""Which files a compiled kernel rests on."""

import ast
import importlib
from collections.abc import Collection
from pathlib import Path


def sources_forgotten(files: Collection[str], parts: Collection[str]) -> list[str]:
    """Return what parts of a kernel import of ours that is not among the files of its fingerprint.

    `parts` are names of modules, all of which must be among `files`.
    """
    known = {Path(path) for path in files}
    forgotten = sorted(set(parts) - {path.stem for path in known})
    for path in sorted(known):
        if path.stem in parts:
            forgotten += sorted(str(each) for each in _imported(path) - known)
    return forgotten


def _imported(path: Path) -> set[Path]:
    """Return the files of our modules that a file names, and of those it imports from."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("tongcheng"):
            module = importlib.import_module(str(node.module))
            modules = [module, *(getattr(module, each.name) for each in node.names)]
            found |= {Path(each.__file__) for each in modules if hasattr(each, "__file__")}
    return {each for each in found if each.name != "__init__.py"}
