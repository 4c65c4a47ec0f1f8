"""What is shipped for the operator works as it stands."""
