"""Findings, traces and graphs as text. The formats of findings are in `formats/`, one module each."""
