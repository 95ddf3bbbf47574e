"""What is compiled is never older than its sources, and is kept for the next process."""

import subprocess
import sys
import textwrap
from pathlib import Path

from tongcheng.kernel import jit

MODULE = """
from tongcheng.kernel import jit


def made(mark):
    def entry(number):
        return number + mark

    return jit.kept(entry)


@jit.kept_alone
def doubled(number):
    return 2 * number


entry = made(10)
"""


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


def test_what_is_compiled_is_taken_by_the_next_process(tmp_path: Path) -> None:
    """The second process compiles nothing."""
    script = textwrap.dedent("""
        import parts
        print(parts.entry(1), parts.doubled(4),
              sum(parts.entry.stats.cache_hits.values()),
              sum(parts.doubled.stats.cache_hits.values()))
    """)

    (tmp_path / "parts.py").write_text(MODULE, encoding="utf-8")
    said = []
    for _ in range(2):
        done = subprocess.run(  # noqa: S603 our own interpreter and words
            [sys.executable, "-c", script],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        )
        said.append(done.stdout.split())

    assert said == [["11", "8", "0", "0"], ["11", "8", "1", "1"]]
