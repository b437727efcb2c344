"""``python -m analysis`` is the command ``mentoring``."""

from analysis.cli import main

if __name__ == "__main__":
    main()
