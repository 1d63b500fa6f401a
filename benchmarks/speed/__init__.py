"""What loopsafe costs beside other tools, on released packages, on growing ones, and on shapes made to be slow."""
