"""The process that a report's kernels are forked from, as a program (``__main__``)."""
