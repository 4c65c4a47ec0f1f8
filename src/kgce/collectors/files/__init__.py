"""Files as sources: readings, registry, weather from CSV or Parquet; good rows kept, bad rows refused by line."""
