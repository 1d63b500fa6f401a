"""How places flow: along calls, `with`, properties, past tests."""
