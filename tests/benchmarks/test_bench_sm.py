"""The benchmark of suites signs what batches sign."""

from benchmarks.bench_sm import BATCH, PRIVATE, by_batch, one_by_one, paths, per_second, tree
from tongcheng.kernel import merkle
from tongcheng.kernel.keys import DEFAULT_SUITE, SigningKey, suite

ENVELOPES = [bytes((number,)) * 100 for number in range(BATCH)]


def test_the_tree_is_that_of_batches() -> None:
    """Under the default suite, root and paths are those that members exchange."""
    levels = tree(suite(DEFAULT_SUITE), ENVELOPES)
    hashes = [merkle.leaf_hash(envelope) for envelope in ENVELOPES]

    assert levels[-1] == [merkle.root(hashes)]
    assert paths(levels) == merkle.inclusion_proofs(hashes)


def test_both_forms_verify_what_they_sign() -> None:
    """A signature that does not hold would stop the benchmark, not make it quicker."""
    key = SigningKey(suite(DEFAULT_SUITE), PRIVATE)

    assert per_second(lambda: one_by_one(key, ENVELOPES[:2]), 2, 0.001) > 0
    assert per_second(lambda: by_batch(key, ENVELOPES), BATCH, 0.001) > 0
