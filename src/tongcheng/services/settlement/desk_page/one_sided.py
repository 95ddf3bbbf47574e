"""How many settlements only one side has, as far as the last looks into the peers' books tell."""

from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement.desk_page.model import OneSided
from tongcheng.services.settlement.mirror import store
from tongcheng.services.settlement.mirror.own import books_of


def one_sided(snapshot: Snapshot, home: Home) -> OneSided | None:
    """Return what was found at the peers that were looked at; None when none has answered yet."""
    if home.accord_in_force is None:
        return None
    count, looks, silent, sums_differ = 0, [], set(), False
    for peer in home.accord.peers(home.member_id):
        for visited in (home.member_id, peer):
            row = store.last(snapshot, books_of(home.member_id, peer, visited))
            seen = store.seen_in(row)
            if row is None or row.seen_at is None or seen is None:
                silent.add(peer)
                continue
            count += len(seen.differences)
            sums_differ |= not (seen.agrees or seen.differences)
            if seen.left_out:
                silent.add(peer)
            looks.append(row.seen_at)
    return OneSided(count, min(looks), len(silent), sums_differ) if looks else None
