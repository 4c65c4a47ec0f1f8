"""The buffer: batches that wait on disk until the sink has them."""
