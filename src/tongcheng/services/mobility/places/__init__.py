"""Places: where people live and what they travel to, read from files, checked and reported on."""
