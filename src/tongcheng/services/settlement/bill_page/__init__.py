"""The bill a person reads: opened by a link from the settlement sheet, by her or by a delegate."""
