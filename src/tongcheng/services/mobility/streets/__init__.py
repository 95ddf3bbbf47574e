"""Streets: from OpenStreetMap to how long it takes between points, on foot or by car."""
