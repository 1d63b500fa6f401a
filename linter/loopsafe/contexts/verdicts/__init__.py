"""What is wrong, and how sure that is."""
