"""What is compiled is never older than its sources."""

import ast
import importlib
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.settlement.batch.batches import batch, shelves
from tests.services.settlement.laws import LAW
from tongcheng.services.settlement.batch import entry, jit, run
from tongcheng.services.settlement.batch.arrays import VOID
from tongcheng.services.settlement.batch.plan import plan_of


@settings(LAW, max_examples=30)
@given(shelves(), st.integers(0, 2**32))
def test_there_is_room_for_every_year_that_is_moved(books: Any, seed: int) -> None:
    """Law: compiled code looks at no bound, so none of its persons may have more years."""
    plan = plan_of(books)
    events = batch(plan, books, 80, seed)

    results = run.run(plan, events)

    years: dict[int, set[tuple[str, int]]] = {}
    for row in range(80):
        if events.kind[row] != VOID and results.year[row]:
            area = plan.places[events.place[row]].area_id
            years.setdefault(int(events.person[row]), set()).add((area, int(results.year[row])))
    assert max(map(len, years.values()), default=0) <= entry.years_most(plan, events, 0, 80)


def test_every_source_of_the_kernel_is_in_its_fingerprint() -> None:
    """Whatever a part of the kernel imports of ours may be compiled into it as a constant."""
    parts = {"kernel", "kernel_checks", "kernel_pays", "kernel_years"}
    files = {Path(path) for path in entry.FILES}

    assert {f"{part}.py" for part in parts} <= {path.name for path in files}
    for path in files:
        if path.stem in parts:
            imported = {
                node.module: [each.name for each in node.names]
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
                if isinstance(node, ast.ImportFrom) and str(node.module).startswith("tongcheng")
            }
            for name, members in imported.items():
                module = importlib.import_module(str(name))
                found = [module, *(getattr(module, each) for each in members)]
                sources = {Path(each.__file__) for each in found if hasattr(each, "__file__")}
                packages = {each for each in sources if each.name == "__init__.py"}
                assert sources - packages <= files, path


def test_a_changed_source_is_another_entry(tmp_path: Path) -> None:
    """One letter of one file, or the order of two, gives another fingerprint."""
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("BASIS = 1\n")
    other.write_text("BASIS = 2\n")
    before = jit.fingerprint(str(one), str(other))

    assert before == jit.fingerprint(str(one), str(other)) > 0
    assert before != jit.fingerprint(str(other), str(one))
    other.write_text("BASIS = 3\n")
    assert before != jit.fingerprint(str(one), str(other))
