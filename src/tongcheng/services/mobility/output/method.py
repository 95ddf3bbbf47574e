"""How a result was made: enough for anybody with the same inputs to make it again (pure)."""

import msgspec

from tongcheng.kernel import canonical
from tongcheng.kernel.canonical import Json


class Source(msgspec.Struct, frozen=True):
    """An input: of what kind (feed, streets, places, process, scenario), its id, its SHA-256."""

    kind: str
    id: str
    digest: str


class Method(msgspec.Struct, frozen=True):
    """What a file holds and how it was computed.

    `measure` names it, `definition` is the part of the documentation that defines it, `parameters`
    are whole numbers and words with their units in the names, `kernel` is the version of the code
    that computed it. There is no time of day and no machine in it: those change nothing.
    """

    measure: str
    definition: str
    parameters: dict[str, Json]
    sources: tuple[Source, ...]
    kernel: str

    def plain(self) -> dict[str, Json]:
        """Return it as JSON, the sources in order of kind and id."""
        ordered = sorted(self.sources, key=lambda source: (source.kind, source.id))
        told: dict[str, Json] = msgspec.to_builtins(msgspec.structs.replace(self, sources=ordered))
        return told

    def encoded(self) -> bytes:
        """Return its canonical bytes; refuses what has none under a CANONICAL_ code."""
        return canonical.encode(self.plain())

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes."""
        return canonical.digest(self.encoded())
