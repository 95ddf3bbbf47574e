"""The month by purse, gross both ways: what a finance office clears by and staples to the file."""
