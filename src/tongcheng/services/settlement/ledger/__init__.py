"""The ledger's pages: by purse and pair with the mirror, and one purse's month line by line."""
