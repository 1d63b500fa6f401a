"""Stage 3: Program -> where each function may run, and why; whose loop an object is on."""
