"""The checks behind test_tidy: each takes text and returns the faults it finds, as sentences.

They are plain functions, so that test_tidy can show each of them a fault and see it found.
"""

import ast
import re
import string
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FUNCTION_LINES_MAX = 60
MODULE_LINES_MAX = 400
LINE_COLUMNS_MAX = 100
LANGUAGES = ("zh", "en")

# Put together here, because no file of ours may name one.
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("conda", "anaconda", "org"),
        ("proxy", "golang", "org"),
    )
)
MACHINE_PATH = re.compile(r"(?<![\w.:/$}*-])/(?:work|home|root|Users|tmp)/[\w.-]+")
UNFINISHED = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")) + r")\b")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def files(*suffixes: str) -> list[Path]:
    """Files git tracks or would track, by suffix (all when none is given); paths are absolute."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout  # noqa: S603
    paths = [ROOT / name for name in listed.decode().split("\0") if name]
    return sorted(p for p in paths if p.is_file() and (not suffixes or p.suffix in suffixes))


def functions_too_long(tree: ast.Module) -> list[str]:
    """Functions over the limit, from `def` to the last line, docstring counted."""
    return [
        f"{node.name} has {length} lines, at most {FUNCTION_LINES_MAX}"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]


def module_too_long(text: str) -> list[str]:
    """The module itself, when it is over the limit."""
    length = len(text.splitlines())
    return [f"{length} lines, at most {MODULE_LINES_MAX}"] if length > MODULE_LINES_MAX else []


def lines_too_wide(text: str) -> list[str]:
    """Lines over the limit, in characters."""
    return [
        f"line {number} has {len(line)} columns, at most {LINE_COLUMNS_MAX}"
        for number, line in enumerate(text.splitlines(), start=1)
        if len(line) > LINE_COLUMNS_MAX
    ]


def _public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Definition]]:
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body, f"{node.name}.")


def _is_overload(node: Definition) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id == "overload" for mark in node.decorator_list)


def docstrings_missing(tree: ast.Module) -> list[str]:
    """The module, and each public class, method and function without a docstring."""
    faults = [] if ast.get_docstring(tree) else ["the module has no docstring"]
    return faults + [
        f"{name} has no docstring"
        for name, node in _public(tree.body)
        if not ast.get_docstring(node) and not _is_overload(node)
    ]


def inexact_arithmetic(tree: ast.Module) -> list[str]:
    """Calls of float, float literals and true division: none may touch an amount."""
    faults = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="float")):
                faults.append(f"line {node.lineno} calls float")
            case ast.Constant(value=float()):
                faults.append(f"line {node.lineno} writes a float")
            case (
                ast.BinOp(op=ast.Div(), lineno=lineno) | ast.AugAssign(op=ast.Div(), lineno=lineno)
            ):
                faults.append(f"line {lineno} divides with /")
    return faults


def words_forbidden(text: str) -> list[str]:
    """Unfinished work, package registries and paths of somebody's machine."""
    faults = [f"names the registry {host}" for host in REGISTRIES if host in text]
    paths = {match.group() for match in MACHINE_PATH.finditer(text)}
    faults += [f"holds the machine path {path}" for path in sorted(paths)]
    return faults + sorted({f"says {match.group()}" for match in UNFINISHED.finditer(text)})


def _fields(template: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}


def languages_unequal(name: str, entry: object) -> list[str]:
    """A text that is not there in both languages, or names other fields in one of them."""
    if not isinstance(entry, dict) or set(entry) != set(LANGUAGES):
        return [f"{name} needs exactly zh and en"]
    if not all(isinstance(entry[language], str) and entry[language].strip() for language in entry):
        return [f"{name} has an empty text"]
    zh, en = (_fields(entry[language]) for language in LANGUAGES)
    return [] if zh == en else [f"{name} names {sorted(zh)} in zh and {sorted(en)} in en"]


def error_entry_faults(code: str, entry: dict[str, Any]) -> list[str]:
    """What is wrong with one entry of an errors.yaml."""
    if not re.fullmatch(r"[A-Z][A-Z0-9]*([_-][A-Z0-9]+)*", code):
        return [f"{code} is not a code: capitals, digits, single underscores or hyphens"]
    if set(entry) != {"status", "what", "why", "do"}:
        return [f"{code} needs exactly status, what, why and do"]
    status = entry["status"]
    sane = type(status) is int and 400 <= status <= 599 and status != 418
    faults = [] if sane else [f"{code} has the status {status}"]
    return faults + [
        fault
        for part in ("what", "why", "do")
        for fault in languages_unequal(f"{code}.{part}", entry[part])
    ]


def codes_refused(tree: ast.Module) -> set[str]:
    """Codes given to Refused as a literal."""
    codes = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id="Refused") | ast.Attribute(attr="Refused"),
                args=[ast.Constant(value=str(code)), *_],
            ):
                codes.add(code)
    return codes


def words_written(tree: ast.Module) -> set[str]:
    """Every string literal of a module: a code may also stand in a table."""
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
