"""How good the reference decoder is: against a blocking decode, against LiveKit's, and with damaged input."""
