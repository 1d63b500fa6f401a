"""`loopsafe check`, and what else it can do with its findings."""
