"""Claims settled at home, booked in bulk: what they use of a person's year, and what is paid.

A person's year is only true if it counts the stays at home too (年度累计). The agency's own system
settles those; here its file of claims is judged again by the adopted books, and each claim moves
the year, the purse's ledger and the journal, a thousand claims a commit. A file may come again:
what is booked already is passed over. Needs the extra `analysis`.
"""
