"""What a reviewer gets: one zip of a study."""
