"""What an analysis found, kept for the next one: plain files in the user's cache folder, named for what they are of."""
