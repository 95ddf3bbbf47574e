"""What if other rules held: the same claims judged twice, who gains, who loses, what it costs."""
