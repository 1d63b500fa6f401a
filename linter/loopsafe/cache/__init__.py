"""What an analysis found, kept for the next one: plain files in `.loopsafe_cache`, named for what they came from."""
