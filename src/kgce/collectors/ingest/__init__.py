"""The centre's intake: what thousands of gateways send goes into the store, once, and they get their receipts."""
