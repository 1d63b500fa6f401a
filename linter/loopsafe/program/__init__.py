"""Stage 2: FileFacts + Knowledge -> Program: who calls whom, who starts whom, what a name holds."""
