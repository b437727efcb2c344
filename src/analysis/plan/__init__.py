"""What is asked: the study, its hypotheses and instruments, the shape of every answer, errors and paths."""
