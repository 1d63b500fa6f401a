"""Pages for a browser: one file each, that needs no network and takes nothing of a project for markup."""
