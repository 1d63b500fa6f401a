"""How often loopsafe is right: labelled bugs it must find, and judged findings on whole packages."""
