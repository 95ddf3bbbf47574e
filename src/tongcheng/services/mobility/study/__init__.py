"""A study: feeds, places and what is assumed of both, put together so that it can be asked.

`model` says what goes in, `preparing` compiles it, `methods` says how an answer was made.
"""
