"""Stand-ins at the lowest seams, for what no test machine can be asked to do."""
