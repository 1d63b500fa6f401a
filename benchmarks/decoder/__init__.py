"""How good the reference decoder is: held against a blocking decode and LiveKit's decoder, and fed with damaged input."""
