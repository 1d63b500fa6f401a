"""Stage 1: one file's text -> FileFacts. Pure syntax; knows no library."""
