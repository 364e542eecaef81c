"""RAF-DB, basic and compound: readers of their layouts, and their synthetic copies."""
