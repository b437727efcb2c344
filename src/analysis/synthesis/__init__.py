"""Many companies' shared ledgers, one answer: no row of a person is ever read here."""
