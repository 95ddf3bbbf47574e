"""The places of the trace's columns are those of their names."""

from tongcheng.services.settlement.batch import arrays, trace_columns
from tongcheng.services.settlement.batch.columns import RESULT_AMOUNTS


def test_places_are_those_of_the_names() -> None:
    """Each constant stands where its column stands."""
    trace = [column.name.upper().removesuffix("_FEN") for column in trace_columns.TRACE_COLUMNS]
    marks = [column.name.upper() for column in trace_columns.MARK_COLUMNS]

    assert trace[: trace_columns.POOL_TO] == [
        f"BEFORE_{name.upper().removesuffix('_FEN')}" for name in arrays.ACCUMULATORS
    ]
    for place, name in enumerate(trace[trace_columns.POOL_TO :], trace_columns.POOL_TO):
        assert getattr(trace_columns, name) == place
    assert [getattr(trace_columns, name) for name in marks] == list(range(len(marks)))
    assert [getattr(arrays, name.upper()) for name in RESULT_AMOUNTS] == list(range(12))
