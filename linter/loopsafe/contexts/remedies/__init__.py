"""How it is put right."""
