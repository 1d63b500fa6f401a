"""The language server: findings, fixes and the places where functions run, for editors.

The server answers from what is known; a process beside it works that out (`analyst`). Both speak in `analyst/messages`.
"""
