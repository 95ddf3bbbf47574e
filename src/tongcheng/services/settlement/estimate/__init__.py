"""What a stay would cost, before it: computed by the rule books of this node, for nobody yet."""
