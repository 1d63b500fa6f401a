"""The process that analyses for the server: what it is asked and answers, what it does, and the server's end of it."""
