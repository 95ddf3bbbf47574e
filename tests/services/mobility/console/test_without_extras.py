"""A node without numpy and numba starts, and says what is missing where a map would be."""

import subprocess
import sys

from tongcheng.services.mobility.service import SERVICE

BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"numba", "numpy", "pyarrow", "shapely"}:
            raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Blocked())
from tongcheng.node.services import SERVICES
from tongcheng.services.mobility.console import warming
warming._quietly()
print(len([page for each in SERVICES if each.name == "mobility" for page in each.pages]))
"""


def test_services_load_without_what_computes() -> None:
    """Every page is there; warming says what it misses and goes on."""
    done = subprocess.run(  # noqa: S603 our own interpreter and our own words
        [sys.executable, "-c", BLOCKED], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "not_warmed" in done.stdout
    assert int(done.stdout.split()[-1]) == len(SERVICE.pages)
