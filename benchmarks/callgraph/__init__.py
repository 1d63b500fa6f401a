"""How much of a known call graph loopsafe sees."""
