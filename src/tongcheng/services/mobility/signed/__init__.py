"""Documents that a member signs in versions: their form, and how a node keeps and checks them."""
