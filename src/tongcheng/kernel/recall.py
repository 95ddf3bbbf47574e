"""What a node's store says of its home: the accords, and the rule books that were adopted."""

from tongcheng.kernel import adoption, rulebook_record
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Reading


def recall(home: Home, reading: Reading, now_at: int) -> None:
    """Set what the store knows; whoever opens a node's store to work on it calls this first."""
    home.accord_in_force = adoption.in_force(reading, now_at)
    home.accords_lately = adoption.lately(reading, now_at)
    home.shelf = rulebook_record.shelf_of(reading, home.shelf)
