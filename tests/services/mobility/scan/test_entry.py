"""What is compiled is never older than its sources."""

from tests.compiled_sources import sources_forgotten
from tongcheng.services.mobility.scan import entry


def test_every_source_of_the_kernels_is_in_their_fingerprint() -> None:
    """Whatever a part of a kernel imports of ours may be compiled into it as a constant."""
    assert sources_forgotten(entry.FILES, {"kernel", "kernel_journey", "tables"}) == []
