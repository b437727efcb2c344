"""Many reports: which must be made, by how many workers, and what a table of them asks for."""
