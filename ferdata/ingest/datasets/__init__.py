"""One file per dataset; where a dataset has several layouts, one more for each."""
