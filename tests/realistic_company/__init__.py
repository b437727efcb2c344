"""A company of 2,000 whose files look as companies' files do, and the truth that these files hide.

Everything is simulated (`analysis.simulate`) and then written the way that people and systems write it: see `files`.
`edits` is what its analyst does with the draft of study.yaml.
"""

from realistic_company.company import NAME, Realistic, realistic_company
from realistic_company.edits import EDITS, options, with_edits
from realistic_company.files import write_files

__all__ = ["EDITS", "NAME", "Realistic", "options", "realistic_company", "with_edits", "write_files"]
