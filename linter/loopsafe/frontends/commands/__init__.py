"""What the command line can do, one module a command. Each is loaded only when it is asked for."""
