"""Settlement 异地就医结算: a stay in one city of a person insured in another."""
