"""Questions about a project: where its functions run, who calls whom, what is known of it."""
