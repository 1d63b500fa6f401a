"""The ways in: command line, flake8, LibCST codemod. Each parses arguments, runs the pipeline and hands on."""
