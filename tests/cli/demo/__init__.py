"""What breaks the demonstration: one region for the tests of this folder, stopped after them."""
