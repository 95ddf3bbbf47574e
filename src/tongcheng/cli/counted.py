"""Numbers with their noun, as a command says them: `1 row`, `2 rows`."""


def counted(count: int, one: str, other: str) -> str:
    """Return the count and the noun that goes with it; English only, as the commands are."""
    return f"{count} {one if count == 1 else other}"
