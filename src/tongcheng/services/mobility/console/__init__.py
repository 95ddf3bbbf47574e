"""Mobility's pages: click a place, see who reaches it; draw a scenario, see who gains.

`query` reads an address, `places` finds what it names, `desk` holds what was prepared and answers
in threads of its own, `answers` computes, `picture` draws without scripts, `view` and the modules
beside it say it in words, `pages` are the addresses.
"""
