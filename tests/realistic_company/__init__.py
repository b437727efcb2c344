"""A company of 2,000 whose files look as companies' files do, and the truth that these files hide.

Everything is simulated (`analysis.simulate`) and then written the way that people and systems write it: see `files`.
What a reader should find in them is in `truth`.
"""

from realistic_company.company import NAME, Realistic, realistic_company
from realistic_company.files import write_files

__all__ = ["NAME", "Realistic", "realistic_company", "write_files"]
