"""Sources: what speaks to devices and files, and hands over batches."""
