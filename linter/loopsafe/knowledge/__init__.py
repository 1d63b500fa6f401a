"""What libraries mean, as data: one TOML file a library, and the code that reads them."""
