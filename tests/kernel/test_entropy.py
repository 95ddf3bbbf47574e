"""The port through which chance enters."""

from __future__ import annotations

from tongcheng.kernel.entropy import Entropy, SeededEntropy, SystemEntropy


def test_a_seed_repeats_itself() -> None:
    """A failing seed is the bug report: it must give the same run again."""
    first, again, other = SeededEntropy(7), SeededEntropy(7), SeededEntropy(8)

    assert [first.bytes(5), first.bytes(9)] == [again.bytes(5), again.bytes(9)]
    assert other.bytes(16) != SeededEntropy(7).bytes(16)


def test_system_entropy_does_not() -> None:
    """Two draws of 16 bytes never agree."""
    entropy: Entropy = SystemEntropy()

    assert len(entropy.bytes(16)) == 16
    assert entropy.bytes(16) != entropy.bytes(16)
