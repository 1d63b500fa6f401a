"""What a project is: its root and configuration, which files it has, how they are read, what is silenced."""
