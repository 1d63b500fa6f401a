"""Where places begin: threads that are started, loops that are run, what libraries call."""
