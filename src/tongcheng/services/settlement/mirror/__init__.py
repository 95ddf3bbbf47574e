"""The mirror: what a peer's ledger says of the same purses, asked for and compared (对账)."""
