"""Places: where a function runs, and the paths by which control gets there."""
