"""Tests mirror src; what holds for the whole tree (tidy, layers, docs) stands here at the top."""
