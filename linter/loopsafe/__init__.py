"""loopsafe finds code that touches an event loop's objects from a thread that does not run that loop."""

# No import here, not even from __future__: `__main__` first has to see to where from.
__version__ = "0.1.0"
__all__ = ["Config", "Finding", "__version__", "analyze"]


def __getattr__(name: str) -> object:
    # The analysis is loaded on first use, so that `loopsafe --version` and flake8's plug-in scan stay quick.
    if name == "Config":
        from loopsafe.project.config import Config

        return Config
    if name == "Finding":
        from loopsafe.findings import Finding

        return Finding
    if name == "analyze":
        from loopsafe.pipeline import analyze

        return analyze
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
